#include "hil_learner_parts.h"
#include "hil_order.h"

struct hil_learner hil_learner;

_Static_assert(sizeof(net_t) == HIL_NET_BYTES,
               "codegen/planning/layout.py has counted another net_t");
_Static_assert(sizeof hil_learner == HIL_LEARNER_BYTES,
               "codegen/planning/layout.py has counted another learner");

void hil_learner_begin(void)
{
    hil_learner.net.step = HIL_NEVER;
    hil_learner.committed = HIL_NEVER;
#if HIL_SLOTS
    hil_checkpoints_open();
#endif
    hil_replies_forget();
}

void hil_learner_greet(uint16_t seq)
{
    hil_learner.order = (struct hil_order){ seq, seq, seq };
    hil_replies_forget(); /* they answered another session's steps */
#ifdef HIL_CHUNK
    hil_parts_forget(seq);
#endif
}

bool hil_learner_sent_before(uint16_t seq, uint16_t other)
{
    return hil_order_before(seq, other);
}

void hil_learner_follow(uint16_t seq)
{
    hil_order_follow(&hil_learner.order.init, seq);
    hil_order_follow(&hil_learner.order.write, seq);
    hil_order_follow(&hil_learner.order.step, seq);
#ifdef HIL_CHUNK
    hil_order_follow(&hil_learner.parts.began, seq);
#endif
}

/* Steps that were sent before the last INIT are not learned after it. */
bool hil_learner_ready(const struct hil_request *request)
{
    if (hil_learner_sent_before(request->header.seq, hil_learner.order.init)) {
        return false;
    }
    if (!hil_learner.ready || hil_learner.faulted) {
        hil_session_refuse(request, hil_learner.ready ? HIL_FAULTED : HIL_NOT_READY);
        return false;
    }
    return true;
}

uint32_t hil_learner_next(void)
{
    return hil_learner.net.step;
}

uint32_t hil_learner_committed(void)
{
    return hil_learner.committed;
}

void hil_learner_condition(struct hil_ping_reply *condition)
{
    condition->instructions = hil_learner.instructions;
    condition->cycles = hil_learner.cycles;
#if NET_GATED
    condition->threshold = hil_learner.net.threshold;
#endif
}

const struct hil_handler *hil_learner_handler(uint8_t kind)
{
    static const struct hil_handler handlers[] = {
        { HIL_STEP, HIL_AT_LEAST(struct hil_step), hil_steps_on_step },
        { HIL_INFER, HIL_AT_LEAST(struct hil_infer), hil_steps_on_infer },
#if HIL_RESIDENT
        { HIL_STEP_RESIDENT, HIL_AT_LEAST(struct hil_step_resident), hil_resident_on_step },
#endif
#if HIL_REHEARSAL
        { HIL_REHEARSE, HIL_AT_LEAST(struct hil_rehearse), hil_rehearsal_on_rehearse },
#endif
#ifdef HIL_CHUNK
        { HIL_PART, HIL_AT_LEAST(struct hil_part), hil_parts_on_part },
#endif
        { HIL_INIT, HIL_EXACTLY(struct hil_init), hil_state_on_init },
        { HIL_READ, HIL_EXACTLY(struct hil_read), hil_state_on_read },
        { HIL_WRITE, HIL_AT_LEAST(struct hil_write), hil_state_on_write },
        { HIL_DIGEST, 0, 0, hil_state_on_digest },
#if HIL_SLOTS
        { HIL_COMMIT, HIL_EXACTLY(struct hil_commit), hil_checkpoints_on_commit },
#endif
    };

    return hil_handler_of(handlers, sizeof handlers / sizeof handlers[0], kind);
}
