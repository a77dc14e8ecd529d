/* There is no learner: nothing has an order, and nobody handles what is the learner's. */
#include "hil_learner.h"

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

void hil_learner_condition(struct hil_ping_reply *condition)
{
    (void)condition;
}
