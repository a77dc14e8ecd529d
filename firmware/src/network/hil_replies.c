#include "hil_learner_parts.h"
#include "hil_memory.h"

void hil_replies_forget(void)
{
    for (size_t i = 0; i < HIL_WINDOW; i++) {
        hil_learner.kept[i].count = 0;
    }
}

struct hil_kept_reply *hil_replies_next(void)
{
    struct hil_kept_reply *const keep = &hil_learner.kept[hil_learner.next_kept];

    keep->count = 0;
    hil_learner.instructions = hil_learner.cycles = 0;
    return keep;
}

void hil_replies_give(const struct hil_request *request, struct hil_kept_reply *keep,
                      uint32_t step, uint16_t count, size_t size)
{
    const struct hil_header *const header = &request->header;

    hil_learner.order.step = header->seq;
    hil_learner.next_kept = (hil_learner.next_kept + 1) % HIL_WINDOW;
    keep->kind = header->kind;
    keep->step = step;
    keep->count = count;
    keep->size = (uint32_t)size;
    hil_session_send(keep->body, header->kind | HIL_REPLY, HIL_OK, header->seq, size);
}

struct hil_kept_reply *hil_replies_find(uint8_t kind, uint32_t step, uint16_t count)
{
    for (size_t i = 0; i < HIL_WINDOW; i++) {
        struct hil_kept_reply *const kept = &hil_learner.kept[i];

        if (kept->kind == kind && kept->step == step && kept->count == count) {
            return kept;
        }
    }
    return NULL;
}

void hil_replies_repeat(const struct hil_request *request, uint32_t step, uint16_t count)
{
    const struct hil_header *const header = &request->header;
    struct hil_kept_reply *const kept = hil_replies_find(header->kind, step, count);

    if (kept != NULL) {
        hil_session_send(kept->body, header->kind | HIL_REPLY, HIL_REPLAYED, header->seq,
                         kept->size);
        return;
    }
    const struct hil_out_of_step reply = { hil_learner.net.step };
    memcpy(hil_session_reply(), &reply, sizeof reply);
    hil_session_answer(request, HIL_OUT_OF_STEP, sizeof reply);
}
