/* What the session asks of who stands behind it. In an image one folder of src is that:
 * network learns, inference computes an imported model, lif takes NeuroCoreX's bytes, and
 * alone is nobody. All but the first have from stepless what they say of steps. */
#ifndef HIL_LEARNER_H
#define HIL_LEARNER_H

#include "hil_session.h"

/* After a reset. */
void hil_learner_begin(void);

/* A session begins with the frame of this number. */
void hil_learner_greet(uint16_t seq);

/* A frame of this number has come: all that is kept of older ones follows it. */
void hil_learner_follow(uint16_t seq);

/* Who handles requests of this kind, NULL: nobody. */
const struct hil_handler *hil_learner_handler(uint8_t kind);

/* The next step, the one that the newest checkpoint goes on with, and the one that is
 * being learned; HIL_NEVER where there is none. A trap may ask for the last. */
uint32_t hil_learner_next(void);
uint32_t hil_learner_committed(void);
uint32_t hil_learner_in_hand(void);

/* Fill in what PING and telemetry tell of the last STEP or INFER. */
void hil_learner_condition(struct hil_ping_reply *condition);

#endif
