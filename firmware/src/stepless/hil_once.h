/* What is done once where no steps are learned: an INIT and INFERs, in the order in which
 * they were sent. One that was sent before what was done last comes too late. */
#ifndef HIL_ONCE_H
#define HIL_ONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_order.h"
#include "hil_session.h"

struct hil_once {
    uint64_t instructions, cycles; /* of the last INFER */
    uint16_t begun, inferred;      /* numbers of the newest INIT and INFER that were done */
    bool ready;                    /* INIT has been done */
    bool done;                     /* an INFER since then */
};

/* A session begins with the frame of this number. */
static inline void hil_once_greet(struct hil_once *once, uint16_t seq)
{
    once->begun = once->inferred = seq;
    once->done = false;
}

/* A frame of this number has come. */
static inline void hil_once_follow(struct hil_once *once, uint16_t seq)
{
    hil_order_follow(&once->begun, seq);
    hil_order_follow(&once->inferred, seq);
}

/* What PING and telemetry tell of the last INFER. */
static inline void hil_once_tell(const struct hil_once *once,
                                 struct hil_ping_reply *condition)
{
    condition->instructions = once->instructions;
    condition->cycles = once->cycles;
}

static inline bool hil_once_in_time(const struct hil_once *once,
                                    const struct hil_request *request)
{
    return !hil_order_before(request->header.seq, once->begun) &&
           !hil_order_before(request->header.seq, once->inferred);
}

/* Whether this INIT is to be done; refuses one that wants a state to go on with. */
static inline bool hil_once_may_begin(const struct hil_once *once,
                                      const struct hil_request *request)
{
    if (!hil_once_in_time(once, request)) {
        return false;
    }
    if (request->fields.init.flags != 0) {
        hil_session_refuse(request, HIL_NO_STORAGE);
        return false;
    }
    return true;
}

/* This INIT is done. */
static inline void hil_once_begun(struct hil_once *once, const struct hil_request *request)
{
    const struct hil_init *const ask = &request->fields.init;
    const struct hil_init_reply reply = { ask->step, 0, ask->run };

    once->begun = request->header.seq;
    once->ready = true;
    once->done = false;
    hil_session_done(request, &reply, sizeof reply);
}

/* Whether this INFER is to be answered; refuses one before INIT. */
static inline bool hil_once_may_infer(const struct hil_once *once,
                                      const struct hil_request *request)
{
    if (!hil_once_in_time(once, request)) {
        return false;
    }
    if (!once->ready) {
        hil_session_refuse(request, HIL_NOT_READY);
        return false;
    }
    return true;
}

/* Whether this INFER is the one that was done last, sent again. */
static inline bool hil_once_again(const struct hil_once *once,
                                  const struct hil_request *request)
{
    return once->done && request->header.seq == once->inferred;
}

/* This INFER is done. */
static inline void hil_once_inferred(struct hil_once *once,
                                     const struct hil_request *request)
{
    once->done = true;
    once->inferred = request->header.seq;
}

#endif
