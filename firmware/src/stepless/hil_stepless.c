/* The answers of code that learns no steps: there is no next step, none was committed,
 * and none is in hand. */
#include "hil_learner.h"

void hil_learner_begin(void)
{
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
