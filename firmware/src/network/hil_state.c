#include "hil_learner_parts.h"
#include "hil_memory.h"
#include "hil_runtime.h"
#include "hil_words.h"

enum hil_status hil_state_draw(uint32_t seed)
{
    const int status = net_init(&hil_learner.net, seed);

    hil_learner.ready = status == NET_OK;
    if (hil_learner.ready) {
        return HIL_OK;
    }
    hil_learner.net.step = HIL_NEVER;
    hil_runtime_fault(HIL_CAUSE_ARITHMETIC, 0, (uint32_t)-status);
    return HIL_FAULTED;
}

/* Get the state that an INIT asks for, and the step and the run to go on with. */
static enum hil_status prepare(struct hil_init *init)
{
    if (init->flags & HIL_INIT_RESUME) {
#if HIL_SLOTS
        return hil_checkpoints_resume(init);
#else
        return HIL_NO_STORAGE;
#endif
    }
    if (!(init->flags & HIL_INIT_KEEP_STATE)) {
        return hil_state_draw(init->seed);
    }
    return hil_learner.ready ? HIL_OK : HIL_NOT_READY;
}

void hil_state_on_init(const struct hil_request *request)
{
    const uint16_t seq = request->header.seq;
    struct hil_init init = request->fields.init;

    if (hil_learner_sent_before(seq, hil_learner.order.init) ||
        hil_learner_sent_before(seq, hil_learner.order.write) ||
        hil_learner_sent_before(seq, hil_learner.order.step)) {
        return;
    }
    const enum hil_status status = prepare(&init);
    if (status != HIL_OK) {
        hil_session_refuse(request, status);
        return;
    }
    hil_learner.order.init = seq;
    hil_learner.ready = true;
    hil_learner.faulted = false;
    hil_learner.net.step = init.step;
    hil_learner.run = init.run;
    hil_replies_forget();
#if HIL_REHEARSAL
    hil_rehearsal_forget();
#endif
#ifdef HIL_CHUNK
    hil_parts_forget(seq);
#endif

    const struct hil_init_reply reply = {
        hil_learner.net.step, net_digest(&hil_learner.net), hil_learner.run,
    };
    hil_session_done(request, &reply, sizeof reply);
}

/* The words that a READ or WRITE speaks of, or NULL when they are not all there. */
static uint8_t *find_words(const struct hil_read *ask)
{
    size_t words = 0;
    uint8_t *const tensor = net_state(&hil_learner.net, ask->tensor, &words);

    return hil_words_find(ask, tensor, words);
}

void hil_state_on_read(const struct hil_request *request)
{
    hil_words_tell(request, find_words(&request->fields.read));
}

void hil_state_on_write(const struct hil_request *request)
{
    /* a WRITE names its words as a READ does */
    const struct hil_read *const ask = &request->fields.read;
    const uint16_t seq = request->header.seq;

    if (!hil_words_match(request)) {
        return;
    }
    if (hil_learner_sent_before(seq, hil_learner.order.init) ||
        hil_learner_sent_before(seq, hil_learner.order.step)) {
        return;
    }
    uint8_t *const data = find_words(ask);
    if (data == NULL || ask->tensor >= NET_STATE_TENSORS) {
        hil_session_refuse(request, HIL_OUT_OF_BOUNDS);
        return;
    }
#ifdef HIL_HELD
    if (!hil_held_within(ask->tensor, request->tail, request->size)) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
#endif
    hil_learner.order.write = seq;
    memcpy(data, request->tail, request->size);
    hil_session_done(request, ask, sizeof *ask);
}

void hil_state_on_digest(const struct hil_request *request)
{
    const struct hil_digest_reply reply = {
        hil_learner.net.step, net_digest(&hil_learner.net),
    };

    hil_session_done(request, &reply, sizeof reply);
}
