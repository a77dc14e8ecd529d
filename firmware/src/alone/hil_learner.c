/* There is no learner: no steps, so nothing has an order, nothing is kept, and nobody
 * handles what is the learner's. */
#include "hil_learner.h"

void hil_learner_begin(void)
{
}

void hil_learner_greet(uint16_t seq)
{
    (void)seq;
}

void hil_learner_follow(uint16_t seq)
{
    (void)seq;
}

const struct hil_handler *hil_learner_handler(uint8_t kind)
{
    (void)kind;
    return NULL;
}

uint32_t hil_learner_next(void)
{
    return HIL_NEVER;
}

uint32_t hil_learner_committed(void)
{
    return HIL_NEVER;
}

uint32_t hil_learner_in_hand(void)
{
    return HIL_NEVER;
}

void hil_learner_condition(struct hil_ping_reply *condition)
{
    (void)condition;
}
