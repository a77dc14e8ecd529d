#include "hil_goal.h"
#include "hil_learner_parts.h"
#include "hil_memory.h"

_Static_assert(sizeof(struct hil_step_resident) + HIL_THIN * sizeof(uint32_t) <=
                   HIL_MAX_PAYLOAD,
               "a STEP_RESIDENT does not fit a frame");
_Static_assert(sizeof(struct hil_step_resident_reply) + RESULT_BYTES <= HIL_STEP_REPLY,
               "a STEP_RESIDENT's reply does not fit where it is kept");

/* The resident set, among the constants: image/hil_resident.S. */
extern const net_sample_t hil_resident_samples[HIL_RESIDENT][NET_INPUTS];
#if HIL_TARGET_BYTES
extern const uint8_t hil_resident_targets[HIL_RESIDENT][HIL_TARGET_BYTES];
#endif

/* The target of the sample at this place; of none, NULL. */
static const uint8_t *target_of(uint32_t place)
{
#if HIL_TARGET_BYTES
    return hil_resident_targets[place];
#else
    (void)place;
    return NULL;
#endif
}

/* The sample of step number i of these: listed, or the i-th of the range. */
static uint32_t place_of(const struct hil_step_resident *ask, const uint8_t *list, size_t i)
{
    uint32_t place = ask->first + (uint32_t)i;

    if (list != NULL) {
        memcpy(&place, list + i * sizeof place, sizeof place);
    }
    return place;
}

/* Whether every sample of these steps is in the resident set. */
static bool all_resident(const struct hil_step_resident *ask, const uint8_t *list)
{
    if (list == NULL) {
        return ask->first < HIL_RESIDENT && ask->count <= HIL_RESIDENT - ask->first;
    }
    for (size_t i = 0; i < ask->count; i++) {
        if (place_of(ask, list, i) >= HIL_RESIDENT) {
            return false;
        }
    }
    return true;
}

/* Every result is folded into one word; that of the last step stays. */
static void learn(const struct hil_request *request, const struct hil_step_resident *ask,
                  const uint8_t *list)
{
    struct hil_kept_reply *const keep = hil_replies_next();
    struct hil_step_resident_reply reply = {
        .step = ask->step,
        .flags = ask->flags,
        .count = ask->count,
    };
    uint8_t *const result = keep->body + HIL_HEADER_BYTES + sizeof reply;

    for (uint32_t i = 0; i < ask->count; i++) {
        const uint32_t place = place_of(ask, list, i);
        const uint8_t *const target = target_of(place);
        const int status = hil_steps_learn(hil_resident_samples[place], target, ask->eta,
                                           ask->flags, result);
        if (status != NET_OK) {
            hil_steps_stop(request, status);
            return;
        }
        const bool last = i + 1 == ask->count;
        if ((ask->digest_every != 0 && hil_learner.net.step % ask->digest_every == 0) ||
            (last && (ask->flags & HIL_STEP_DIGEST))) {
            hil_steps_add_digest(result, ask->flags);
        }
        reply.right += hil_goal_reached(target);
        reply.fold += net_fold((const void *)result, TOLD_WORDS, i * TOLD_WORDS);
    }
    memcpy(keep->body + HIL_HEADER_BYTES, &reply, sizeof reply);
    hil_steps_conclude(request, keep, ask->step, ask->count, ask->flags,
                       sizeof reply + RESULT_BYTES);
}

void hil_resident_on_step(const struct hil_request *request)
{
    const struct hil_step_resident *const ask = &request->fields.step_resident;
    const uint8_t *const list = request->size > 0 ? request->tail : NULL;

    if (!hil_learner_ready(request)) {
        return;
    }
    if (!__builtin_isfinite(ask->eta) || ask->count < 1 || ask->count > HIL_THIN ||
        (list != NULL && request->size != ask->count * sizeof(uint32_t))) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
    if (!all_resident(ask, list)) {
        hil_session_refuse(request, HIL_OUT_OF_BOUNDS);
        return;
    }
    if (ask->step == hil_learner.net.step) {
        learn(request, ask, list);
    } else {
        hil_replies_repeat(request, ask->step, ask->count);
    }
}
