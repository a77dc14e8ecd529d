#include "hil_learner_parts.h"
#include "hil_memory.h"

_Static_assert(sizeof(struct hil_rehearse) + HIL_SAMPLES * sizeof(uint16_t) <= HIL_MAX_PAYLOAD,
               "a REHEARSE does not fit a frame");
_Static_assert(sizeof(struct hil_rehearse) == sizeof(struct hil_step) &&
                   sizeof(struct hil_rehearse_reply) == sizeof(struct hil_step_reply),
               "a REHEARSE is not read and answered as a STEP");

void hil_rehearsal_forget(void)
{
    for (size_t i = 0; i < HIL_REHEARSAL; i++) {
        hil_learner.rehearsal.filled[i] = false;
    }
}

/* Where the target of this slot's sample is kept; of none, NULL. */
static const uint8_t *target_of(uint16_t slot)
{
#if HIL_TARGET_BYTES
    return hil_learner.rehearsal.target[slot];
#else
    (void)slot;
    return NULL;
#endif
}

void hil_rehearsal_keep(uint16_t slot, const uint8_t *target)
{
#ifdef HIL_KEEPS_FEATURES
    const hil_kept_t *const kept = net_features(&hil_learner.net);
#else
    const hil_kept_t *const kept = hil_learner.sample;
#endif

    memcpy(hil_learner.rehearsal.kept[slot], kept, sizeof hil_learner.rehearsal.kept[slot]);
#if HIL_TARGET_BYTES
    memcpy(hil_learner.rehearsal.target[slot], target, HIL_TARGET_BYTES);
#else
    (void)target;
#endif
    hil_learner.rehearsal.filled[slot] = true;
}

/* The sample in this slot; where its features are kept, NULL, and they are at hand. */
static const net_sample_t *sample_of(uint16_t slot)
{
#ifdef HIL_KEEPS_FEATURES
    hil_learner.rehearsal.again = hil_learner.rehearsal.kept[slot];
    return NULL;
#else
    return hil_learner.rehearsal.kept[slot];
#endif
}

static uint16_t slot_at(const uint8_t *slots, size_t i)
{
    uint16_t slot;

    memcpy(&slot, slots + i * sizeof slot, sizeof slot);
    return slot;
}

/* Whether each of these slots is one, and, if `filled`, has a sample. */
static bool good_slots(const uint8_t *slots, size_t count, bool filled)
{
    for (size_t i = 0; i < count; i++) {
        const uint16_t slot = slot_at(slots, i);

        if (slot >= HIL_REHEARSAL || (filled && !hil_learner.rehearsal.filled[slot])) {
            return false;
        }
    }
    return true;
}

static void learn_again(const struct hil_request *request, const struct hil_step *ask)
{
    struct hil_kept_reply *const keep = hil_replies_next();

    for (size_t i = 0; i < ask->count; i++) {
        const uint16_t slot = slot_at(request->tail, i);
        const int status =
            hil_steps_learn_and_tell(sample_of(slot), target_of(slot), ask, keep, i);
        if (status != NET_OK) {
            hil_steps_stop(request, status);
            return;
        }
    }
    hil_steps_conclude_samples(request, ask, keep);
}

void hil_rehearsal_on_rehearse(const struct hil_request *request)
{
    /* a REHEARSE has a STEP's fields, but for its slot */
    const struct hil_step *const ask = &request->fields.step;

    if (!hil_learner_ready(request)) {
        return;
    }
    if (!__builtin_isfinite(ask->eta) || ask->count < 1 || ask->count > HIL_SAMPLES ||
        request->size != ask->count * sizeof(uint16_t) || (ask->flags & HIL_STEP_KEEP)) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
    /* what a lost STEP was to keep is missing only for now: that is out of step */
    const bool next = ask->step == hil_learner.net.step;
    if (!good_slots(request->tail, ask->count, next)) {
        hil_session_refuse(request, HIL_OUT_OF_BOUNDS);
        return;
    }
    if (next) {
        learn_again(request, ask);
    } else {
        hil_replies_repeat(request, ask->step, ask->count);
    }
}
