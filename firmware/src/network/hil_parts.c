#include "hil_learner_parts.h"
#include "hil_memory.h"

_Static_assert(sizeof(struct hil_part) + HIL_CHUNK <= HIL_MAX_PAYLOAD,
               "a PART does not fit a frame");

void hil_parts_forget(uint16_t seq)
{
    hil_learner.parts = (struct hil_parts){ HIL_NEVER, 0, seq };
}

bool hil_parts_there(const struct hil_request *request, uint32_t step)
{
    const struct hil_parts *const held = &hil_learner.parts;

    if (held->step != step || held->there != SAMPLE_BYTES) {
        hil_replies_repeat(request, step, 0); /* no reply is kept: it says where it is */
        return false;
    }
#ifdef NET_NO_EVENT
    if (!hil_events_good((const uint8_t *)hil_learner.sample)) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return false;
    }
#endif
    return true;
}

/* Whether a part's bytes have a place in a sample; answers where not. */
static bool within_sample(const struct hil_request *request)
{
    const size_t offset = request->fields.part.offset;

    if (request->size < 1 || request->size > HIL_CHUNK) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return false;
    }
    if (offset > SAMPLE_BYTES || request->size > SAMPLE_BYTES - offset) {
        hil_session_refuse(request, HIL_OUT_OF_BOUNDS);
        return false;
    }
    return true;
}

void hil_parts_on_part(const struct hil_request *request)
{
    const struct hil_part *const ask = &request->fields.part;
    const uint16_t seq = request->header.seq;
    struct hil_parts *const held = &hil_learner.parts;

    /* what was sent before the first part of this sample is of the one before it */
    if (hil_learner_sent_before(seq, held->began) || !hil_learner_ready(request) ||
        !within_sample(request)) {
        return;
    }
    const bool wanted = ask->step == HIL_NEVER || ask->step == hil_learner.net.step;
    if (wanted && ask->offset == 0 && seq != held->began) {
        *held = (struct hil_parts){ ask->step, 0, seq };
        hil_learner.order.step = seq; /* a copy of the INIT before it would forget it */
    }
    if (!wanted || ask->step != held->step || ask->offset > held->there) {
        hil_replies_repeat(request, ask->step, 0); /* no reply is kept: it says where it is */
        return;
    }
    const uint32_t end = ask->offset + (uint32_t)request->size;
    memcpy((uint8_t *)hil_learner.sample + ask->offset, request->tail, request->size);
    if (end > held->there) {
        held->there = end;
    }
    const struct hil_part_reply reply = { ask->step, ask->offset };
    hil_session_done(request, &reply, sizeof reply);
}
