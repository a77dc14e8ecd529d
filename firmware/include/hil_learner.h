/* What the session asks of the code behind it. An image has one of four folders of src for
 * that: network learns, inference computes an imported model, lif takes NeuroCoreX's
 * bytes, and alone has no handler at all. The last three learn no steps, and say so by
 * the functions of stepless. */
#ifndef HIL_LEARNER_H
#define HIL_LEARNER_H

#include "hil_session.h"

/* Begin, after a reset. */
void hil_learner_begin(void);

/* Begin a session: HELLO was the frame of this number. */
void hil_learner_greet(uint16_t seq);

/* A frame of this number has come: move the numbers that are kept of older frames along
 * (hil_order.h). */
void hil_learner_follow(uint16_t seq);

/* The handler of requests of this kind; NULL where there is none. */
const struct hil_handler *hil_learner_handler(uint8_t kind);

/* The next step, the one that the newest checkpoint goes on with, and the one that is
 * being learned; HIL_NEVER where there is none. A trap may call the last. */
uint32_t hil_learner_next(void);
uint32_t hil_learner_committed(void);
uint32_t hil_learner_in_hand(void);

/* Fill in what PING and telemetry tell of the last STEP or INFER. */
void hil_learner_condition(struct hil_ping_reply *condition);

#endif
