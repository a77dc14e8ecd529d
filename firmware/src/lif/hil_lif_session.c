/* The bytes of NeuroCoreX's UART in our frames: an INFER carries the next of them, and its
 * reply what they are answered by. Or, from the INFER of HIL_NEVER bytes on, without frames.
 *
 * They are taken once: the same INFER again is given its kept reply, and one that was sent
 * before comes too late.
 */
#include "hil_config.h"
#include "hil_learner.h"
#include "hil_lif.h"
#include "hil_memory.h"
#include "hil_once.h"
#include "hil_port.h"
#include "hil_runtime.h"
#include "hil_session.h"

enum { ROOM = HIL_MAX_PAYLOAD - sizeof(struct hil_infer) - sizeof(uint16_t) };

static struct {
    _Alignas(16) struct hil_lif net;
    struct hil_once once;
    uint16_t told;  /* bytes of the kept answer */
    uint16_t taken; /* bytes that it answers */
    uint8_t answer[ROOM];
} lif;

_Static_assert(sizeof lif == HIL_LEARNER_BYTES,
               "codegen/planning/layout.py has counted another network");
_Static_assert(ROOM >= HIL_LIF_RASTER, "no step finds room in an answer");

void hil_learner_greet(uint16_t seq)
{
    hil_once_greet(&lif.once, seq);
}

void hil_learner_follow(uint16_t seq)
{
    hil_once_follow(&lif.once, seq);
}

void hil_learner_condition(struct hil_ping_reply *condition)
{
    hil_once_tell(&lif.once, condition);
}

static void on_init(const struct hil_request *request)
{
    if (hil_once_may_begin(&lif.once, request)) {
        hil_lif_reset(&lif.net);
        hil_once_begun(&lif.once, request);
    }
}

/* Do what is due, then take the next byte, until all are taken, one is refused, or the
 * answer has no room for more. */
static enum hil_lif_verdict stream(const uint8_t *bytes, size_t size)
{
    enum hil_lif_verdict verdict = HIL_LIF_TAKEN;

    lif.taken = lif.told = 0;
    for (;;) {
        lif.told += (uint16_t)hil_lif_tell(&lif.net, lif.answer + lif.told, ROOM - lif.told);
        if (hil_lif_busy(&lif.net) || lif.taken == size) {
            return verdict;
        }
        verdict = hil_lif_take(&lif.net, bytes[lif.taken]);
        if (verdict != HIL_LIF_TAKEN) {
            return verdict;
        }
        lif.taken++;
    }
}

static enum hil_lif_verdict counted(const struct hil_request *request)
{
    hil_port_watchdog(true);
    const uint64_t began = hil_port_cycles();
    const uint64_t before = hil_port_instructions();
    const enum hil_lif_verdict verdict = stream(request->tail, request->size);
    lif.once.instructions = hil_port_instructions() - before;
    lif.once.cycles = hil_port_cycles() - began;
    hil_port_watchdog(false);
    return verdict;
}

static void answer(const struct hil_request *request)
{
    uint8_t *reply = hil_session_reply();

    memcpy(reply, &request->fields.infer, sizeof(struct hil_infer));
    reply += sizeof(struct hil_infer);
    memcpy(reply, &lif.taken, sizeof lif.taken);
    memcpy(reply + sizeof lif.taken, lif.answer, lif.told);
    hil_session_answer(request, HIL_OK,
                       sizeof(struct hil_infer) + sizeof lif.taken + lif.told);
}

/* The line is as theirs from now on, until a reset: bytes come and are answered, and no
 * frame is known. What may not come is left out, an event whole. */
static _Noreturn void serve_plainly(void)
{
    uint8_t bytes[HIL_LIF_RASTER + 1];

    for (;;) {
        if (hil_port_read(bytes, 1) == 0) {
            hil_port_wait();
            continue;
        }
        if (hil_lif_take(&lif.net, bytes[0]) == HIL_LIF_NO_CELL) {
            hil_lif_leave_out(&lif.net);
        }
        do {
            hil_port_write(bytes, hil_lif_tell(&lif.net, bytes, sizeof bytes));
        } while (hil_lif_busy(&lif.net));
    }
}

static void on_infer(const struct hil_request *request)
{
    const bool plainly = request->fields.infer.count == HIL_NEVER && request->size == 0;

    if (request->fields.infer.count != request->size && !plainly) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
    if (!hil_once_may_infer(&lif.once, request)) {
        return;
    }
    if (plainly) {
        hil_session_done(request, &request->fields.infer, sizeof request->fields.infer);
        serve_plainly();
    }
    if (!hil_once_again(&lif.once, request)) {
        const enum hil_lif_verdict verdict = counted(request);

        hil_once_inferred(&lif.once, request);
        if (verdict != HIL_LIF_TAKEN && lif.taken == 0 && lif.told == 0) {
            lif.once.done = false; /* nothing has changed */
            hil_session_refuse(request, verdict == HIL_LIF_NO_CELL ? HIL_OUT_OF_BOUNDS
                                                                   : HIL_BAD_PAYLOAD);
            return;
        }
    }
    answer(request);
}

const struct hil_handler *hil_learner_handler(uint8_t kind)
{
    static const struct hil_handler handlers[] = {
        { HIL_INIT, HIL_EXACTLY(struct hil_init), on_init },
        { HIL_INFER, HIL_AT_LEAST(struct hil_infer), on_infer },
    };

    return hil_handler_of(handlers, sizeof handlers / sizeof handlers[0], kind);
}
