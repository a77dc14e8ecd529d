/* The same where there is no learner: no steps, so nothing has an order, nothing is
 * kept, and nobody handles what is the learner's. */
#ifndef HIL_LEARNER_H
#define HIL_LEARNER_H

#include "hil_session.h"

static inline void hil_learner_begin(void)
{
}

static inline void hil_learner_greet(uint16_t seq)
{
    (void)seq;
}

static inline void hil_learner_follow(uint16_t seq)
{
    (void)seq;
}

static inline const struct hil_handler *hil_learner_handler(uint8_t kind)
{
    (void)kind;
    return NULL;
}

static inline uint32_t hil_learner_next(void)
{
    return HIL_NEVER;
}

static inline uint32_t hil_learner_committed(void)
{
    return HIL_NEVER;
}

static inline uint32_t hil_learner_in_hand(void)
{
    return HIL_NEVER;
}

static inline void hil_learner_condition(struct hil_ping_reply *condition)
{
    (void)condition;
}

#endif
