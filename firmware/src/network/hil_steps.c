#include "hil_goal.h"
#include "hil_learner_parts.h"
#include "hil_memory.h"
#include "hil_port.h"
#include "hil_runtime.h"

/* The plan has counted these buffers; here the compiler counts them again. */
_Static_assert(sizeof(struct hil_step) + HIL_SAMPLES * TAUGHT_BYTES <= HIL_MAX_PAYLOAD,
               "a STEP does not fit a frame");
_Static_assert(sizeof(struct hil_step_reply) + HIL_SAMPLES * RESULT_BYTES <= HIL_STEP_REPLY,
               "a STEP's reply does not fit where it is kept");

/* Step in hand, HIL_NEVER outside one. */
static uint32_t learning = HIL_NEVER;

uint32_t hil_learner_in_hand(void)
{
    return learning;
}

#if NET_SIGNALS
/* The counter that a budget is held in. */
uint64_t net_counter(void)
{
#ifdef NET_COUNTS_CYCLES
    return hil_port_cycles();
#else
    return hil_port_instructions();
#endif
}
#endif

/* Take a step and add up its instructions and cycles; with `alone` interrupts are masked. */
static int counted_step(const net_sample_t *sample, hil_goal_t goal, float eta, bool alone,
                        float *loss)
{
    if (alone) {
        hil_port_mask_interrupts(true);
    }
    const uint64_t began = hil_port_cycles();
    const uint64_t before = hil_port_instructions();
    const int status = hil_goal_step(sample, goal, eta, loss);
    hil_learner.instructions += hil_port_instructions() - before;
    hil_learner.cycles += hil_port_cycles() - began;
    if (alone) {
        hil_port_mask_interrupts(false);
    }
    return status;
}

int hil_steps_learn(const net_sample_t *sample, const uint8_t *target, float eta,
                    uint32_t flags, uint8_t *result)
{
    const hil_goal_t goal = hil_goal_of(target);
    float loss;

    learning = hil_learner.net.step;
    hil_port_watchdog(true);
    const int status = counted_step(sample, goal, eta, flags & HIL_STEP_ALONE, &loss);
    hil_port_watchdog(false);
    if (status != NET_OK) {
        return status;
    }
    memcpy(result, &loss, sizeof loss);
    memset(result + 4, 0, sizeof(uint32_t));
    memcpy(result + 8, net_outputs(&hil_learner.net), OUTPUT_BYTES);
#if NET_SIGNALS
    memcpy(result + TOLD_BYTES, &hil_learner.net.signal, sizeof hil_learner.net.signal);
#endif
    return NET_OK;
}

/* An update that a fused step has left for the next step is applied first. Its
 * instructions count as this step's; noinline makes their number the same for every
 * caller. */
__attribute__((noinline)) void hil_steps_add_digest(uint8_t *result, uint32_t flags)
{
    hil_port_watchdog(true);
#if NET_PENDING
    hil_port_mask_interrupts(flags & HIL_STEP_ALONE);
    const uint64_t began = hil_port_cycles();
    const uint64_t before = hil_port_instructions();
    net_flush(&hil_learner.net);
    hil_learner.instructions += hil_port_instructions() - before;
    hil_learner.cycles += hil_port_cycles() - began;
    hil_port_mask_interrupts(false);
#else
    (void)flags;
#endif
    const uint32_t digest = net_digest(&hil_learner.net);
    hil_port_watchdog(false);

    memcpy(result + 4, &digest, sizeof digest);
}

void hil_steps_stop(const struct hil_request *request, int status)
{
    hil_learner.faulted = true;
    hil_runtime_fault(HIL_CAUSE_NON_FINITE, 0, NET_CULPRIT(status));
    learning = HIL_NEVER;
    hil_session_refuse(request, HIL_FAULTED);
}

int hil_steps_learn_and_tell(const net_sample_t *sample, const uint8_t *target,
                             const struct hil_step *ask, struct hil_kept_reply *keep,
                             size_t i)
{
    uint8_t *const result =
        keep->body + HIL_HEADER_BYTES + sizeof(struct hil_step_reply) + i * RESULT_BYTES;
    const int status = hil_steps_learn(sample, target, ask->eta, ask->flags, result);

    if (status == NET_OK && (ask->flags & HIL_STEP_DIGEST)) {
        hil_steps_add_digest(result, ask->flags);
    }
    return status;
}

void hil_steps_conclude(const struct hil_request *request, struct hil_kept_reply *keep,
                        uint32_t step, uint16_t count, uint8_t flags, size_t size)
{
    learning = HIL_NEVER;
    hil_replies_give(request, keep, step, count, size);
    if (flags & HIL_STEP_TELEMETRY) {
        hil_session_tell();
    }
}

void hil_steps_conclude_samples(const struct hil_request *request,
                                const struct hil_step *ask, struct hil_kept_reply *keep)
{
    const struct hil_step_reply reply = { ask->step, ask->flags, ask->count, 0 };

    memcpy(keep->body + HIL_HEADER_BYTES, &reply, sizeof reply);
    hil_steps_conclude(request, keep, ask->step, ask->count, ask->flags,
                       sizeof reply + ask->count * RESULT_BYTES);
}

/* Whether a sample in a frame can be learned from: any can, but a malformed list of
 * events. A sample that came in parts is not in the frame. */
static bool good_sample(const uint8_t *sample)
{
#if defined NET_NO_EVENT && !defined HIL_CHUNK
    return hil_events_good(sample);
#else
    (void)sample;
    return true;
#endif
}

/* Whether STEP's samples are all there, and they and their targets are good. */
static bool good_samples(const struct hil_step *ask, const uint8_t *samples, size_t size)
{
    if (ask->count < 1 || ask->count > HIL_SAMPLES ||
        size != (size_t)ask->count * TAUGHT_BYTES) {
        return false;
    }
    for (size_t i = 0; i < ask->count; i++) {
        const uint8_t *const target = samples + i * TAUGHT_BYTES;

        if (!hil_goal_good(target) || !good_sample(target + HIL_TARGET_BYTES)) {
            return false;
        }
    }
    return true;
}

static void learn_sent(const struct hil_request *request, const struct hil_step *ask)
{
#ifdef HIL_CHUNK
    if (!hil_parts_there(request, ask->step)) {
        return;
    }
#endif
    struct hil_kept_reply *const keep = hil_replies_next();
    const uint8_t *target = request->tail;

    for (size_t i = 0; i < ask->count; i++) {
        memcpy(hil_learner.sample, target + HIL_TARGET_BYTES, SENT_BYTES);
        const int status =
            hil_steps_learn_and_tell(hil_learner.sample, target, ask, keep, i);
        if (status != NET_OK) {
            hil_steps_stop(request, status);
            return;
        }
        target += TAUGHT_BYTES;
    }
#if HIL_REHEARSAL
    if (ask->flags & HIL_STEP_KEEP) {
        hil_rehearsal_keep(ask->slot, request->tail);
    }
#endif
    hil_steps_conclude_samples(request, ask, keep);
}

/* Whether there is room for the sample of a frame that is to be kept. */
static bool has_slot(const struct hil_step *ask)
{
#if HIL_REHEARSAL
    return ask->slot < HIL_REHEARSAL;
#else
    (void)ask;
    return false;
#endif
}

void hil_steps_on_step(const struct hil_request *request)
{
    const struct hil_step *const ask = &request->fields.step;

    if (!hil_learner_ready(request)) {
        return;
    }
    if (!__builtin_isfinite(ask->eta) || !good_samples(ask, request->tail, request->size) ||
        ((ask->flags & HIL_STEP_KEEP) && ask->count != 1)) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
    if ((ask->flags & HIL_STEP_KEEP) && !has_slot(ask)) {
        hil_session_refuse(request, HIL_OUT_OF_BOUNDS);
        return;
    }
    if (ask->step == hil_learner.net.step) {
        learn_sent(request, ask);
    } else {
        hil_replies_repeat(request, ask->step, ask->count);
    }
}

void hil_steps_on_infer(const struct hil_request *request)
{
    const size_t count = request->fields.infer.count;
#ifdef HIL_CHUNK
    const size_t most = 1; /* the one that came in parts */
#else
    const size_t most = (HIL_MAX_PAYLOAD - sizeof(struct hil_infer_reply)) / OUTPUT_BYTES;
#endif
    uint8_t *const reply = hil_session_reply();
    uint8_t *result = reply + sizeof(struct hil_infer_reply);

    if (!hil_learner.ready) {
        hil_session_refuse(request, HIL_NOT_READY);
        return;
    }
    if (count < 1 || count > most || request->size != count * SENT_BYTES) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!good_sample(request->tail + i * SENT_BYTES)) {
            hil_session_refuse(request, HIL_BAD_PAYLOAD);
            return;
        }
    }
#ifdef HIL_CHUNK
    if (!hil_parts_there(request, HIL_NEVER)) {
        return;
    }
#endif
    for (size_t i = 0; i < count; i++) {
        memcpy(hil_learner.sample, request->tail + i * SENT_BYTES, SENT_BYTES);
        hil_port_watchdog(true);
        const int status = net_infer(&hil_learner.net, hil_learner.sample);
        hil_port_watchdog(false);
        if (status != NET_OK) {
            hil_steps_stop(request, status);
            return;
        }
        memcpy(result, net_outputs(&hil_learner.net), OUTPUT_BYTES);
        result += OUTPUT_BYTES;
    }
    memcpy(reply, &request->fields.infer, sizeof(struct hil_infer_reply));
    hil_session_answer(request, HIL_OK, (size_t)(result - reply));
}
