/* The learner: one network, the steps that teach it, and what is kept of them.
 *
 * Its parts share one variable. hil_learner.c says which frame comes too late for what
 * was done since, hil_replies.c keeps the replies that make a step be learned once,
 * hil_steps.c learns, hil_state.c sets and shows the state. hil_resident.c, hil_events.c,
 * hil_held.c, hil_rehearsal.c, hil_parts.c and hil_checkpoints.c are in an image that has something for them.
 */
#ifndef HIL_LEARNER_PARTS_H
#define HIL_LEARNER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_config.h"
#include "hil_learner.h"
#include "hil_session.h"
#include "hil_store.h"
#include "net.h"

#define SAMPLE_BYTES (sizeof(net_sample_t) * NET_INPUTS)
#ifdef HIL_CHUNK
#define SENT_BYTES 0 /* of a sample in a STEP or INFER: all of it came before, in parts */
#else
#define SENT_BYTES SAMPLE_BYTES
#endif
#define TAUGHT_BYTES (HIL_TARGET_BYTES + SENT_BYTES) /* a sample and its target */
#define OUTPUT_BYTES (sizeof(float) * NET_OUTPUTS)
#define STATE_BYTES sizeof(net_state_t)

/* What a step tells: loss, digest and outputs, and where a budget is held its signal. */
#define TOLD_BYTES (sizeof(float) + sizeof(uint32_t) + OUTPUT_BYTES)
#define TOLD_WORDS (TOLD_BYTES / sizeof(uint32_t))
#define RESULT_BYTES (TOLD_BYTES + NET_SIGNALS * sizeof(uint32_t))

#if HIL_REHEARSAL
/* What is kept of a sample: all of it, or what a front made of it. */
#ifdef HIL_KEEPS_FEATURES
typedef net_feature_t hil_kept_t;
#define HIL_KEPT NET_FEATURES
#else
typedef net_sample_t hil_kept_t;
#define HIL_KEPT NET_INPUTS
#endif

/* Samples that were learned from and are kept, to be learned from again. */
struct hil_rehearsal {
    hil_kept_t kept[HIL_REHEARSAL][HIL_KEPT];
#if HIL_TARGET_BYTES
    uint8_t target[HIL_REHEARSAL][HIL_TARGET_BYTES];
#endif
    bool filled[HIL_REHEARSAL];
#ifdef HIL_KEEPS_FEATURES
    const hil_kept_t *again; /* those that a step without a sample learns from */
#endif
};
#endif

#ifdef HIL_CHUNK
/* How much of a sample has come, from its first byte on. */
struct hil_parts {
    uint32_t step;  /* that learns from it, HIL_NEVER: it is inferred */
    uint32_t there; /* bytes */
    uint16_t began; /* number of the frame that began it */
};
#endif

/* Sequence numbers of the latest frames that did something, by what they did. A line
 * that reorders frames may bring an INIT or a WRITE again after frames that came later
 * were done: an older frame is not done again. */
struct hil_order {
    uint16_t init, write, step;
};

/* A reply that is kept so that steps asked for twice are learned once. */
struct hil_kept_reply {
    uint32_t step;  /* first step it answers */
    uint16_t count; /* samples it answers, 0 when empty */
    uint8_t kind;   /* of the request it answers */
    uint32_t size;  /* of the payload */
    uint8_t body[HIL_HEADER_BYTES + HIL_STEP_REPLY + HIL_CRC_BYTES];
};

/* All zero until hil_learner_begin: an initialised member would put the whole
 * network into .data, and so into flash a second time. */
struct hil_learner {
    _Alignas(16) net_t net; /* its step is the next, HIL_NEVER before INIT */
    net_sample_t sample[NET_INPUTS]; /* aligned copy of the one in the frame */
#if HIL_GOAL == HIL_GOAL_VECTOR
    float target[NET_OUTPUTS]; /* the same of a target, wherever it was */
#endif
#if HIL_REHEARSAL
    struct hil_rehearsal rehearsal;
#endif
#ifdef HIL_CHUNK
    struct hil_parts parts; /* of the one in `sample` */
#endif
    bool ready;   /* INIT has been done */
    bool faulted; /* a step was refused: only INIT helps */
    struct hil_order order;
    uint64_t instructions, cycles; /* of the last STEP */
    struct hil_store store;
    uint32_t committed; /* step of the newest checkpoint, if it is of this network */
    uint32_t run;       /* number of the run that is learning */
    uint32_t next_kept;
    struct hil_kept_reply kept[HIL_WINDOW];
};

extern struct hil_learner hil_learner;

/* -- hil_learner.c -- */

/* Whether a frame was sent before another. */
bool hil_learner_sent_before(uint16_t seq, uint16_t other);

/* Whether the steps of a request can be learned at all; answers where not. */
bool hil_learner_ready(const struct hil_request *request);

/* -- hil_replies.c -- */

void hil_replies_forget(void);

/* Where the reply to steps that come next will be kept; empty until then. */
struct hil_kept_reply *hil_replies_next(void);

/* The steps from `step` are done: keep and send the reply, whose payload of `size`
 * bytes is in place. */
void hil_replies_give(const struct hil_request *request, struct hil_kept_reply *keep,
                      uint32_t step, uint16_t count, size_t size);

/* The reply that was given to a request for these steps, NULL: none is kept. */
struct hil_kept_reply *hil_replies_find(uint8_t kind, uint32_t step, uint16_t count);

/* Steps that are not the next: answer with their kept reply (to at least one), or
 * with where the device is. */
void hil_replies_repeat(const struct hil_request *request, uint32_t step, uint16_t count);

/* -- hil_steps.c -- */

/* Learn from one sample and its target (hil_goal.h) and write what it tells, without a
 * digest; returns net_step's status. */
int hil_steps_learn(const net_sample_t *sample, const uint8_t *target, float eta,
                    uint32_t flags, uint8_t *result);

/* Put the state's digest into a result. */
void hil_steps_add_digest(uint8_t *result, uint32_t flags);

/* Learn from sample number i of a frame and write all that it tells, its result among
 * the others of a reply; returns net_step's status. */
int hil_steps_learn_and_tell(const net_sample_t *sample, const uint8_t *target,
                             const struct hil_step *ask, struct hil_kept_reply *keep,
                             size_t i);

/* The steps from `step` on were learned: give the reply, and telemetry if asked for. */
void hil_steps_conclude(const struct hil_request *request, struct hil_kept_reply *keep,
                        uint32_t step, uint16_t count, uint8_t flags, size_t size);

/* The same of the samples of a frame, whose results are in place. */
void hil_steps_conclude_samples(const struct hil_request *request,
                                const struct hil_step *ask, struct hil_kept_reply *keep);

/* A sample has led to an infinity or a NaN: say where, and learn no more. */
void hil_steps_stop(const struct hil_request *request, int status);

void hil_steps_on_step(const struct hil_request *request);
void hil_steps_on_infer(const struct hil_request *request);

/* -- hil_events.c: where a sample is a list of events -- */

/* Whether a sample, as it lies in a frame, is such a list: ticks ascend and are there, and so
 * are addresses; behind the last event there is none. */
bool hil_events_good(const uint8_t *sample);

/* -- hil_state.c -- */

/* Set every weight from `seed`. Where float is not what the network needs, a FAULT
 * tells how, and nothing is learned. */
enum hil_status hil_state_draw(uint32_t seed);

void hil_state_on_init(const struct hil_request *request);
void hil_state_on_read(const struct hil_request *request);
void hil_state_on_write(const struct hil_request *request);
void hil_state_on_digest(const struct hil_request *request);

/* -- hil_held.c: where HIL_HELD -- */

/* Whether elements of a state tensor, as they travel, lie within the limits that learning
 * keeps it to. */
bool hil_held_within(size_t tensor, const uint8_t *data, size_t size);

/* Whether the whole state does. */
bool hil_held_state(void);

/* -- hil_resident.c: where HIL_RESIDENT -- */

void hil_resident_on_step(const struct hil_request *request);

/* -- hil_rehearsal.c: where HIL_REHEARSAL -- */

void hil_rehearsal_forget(void);

/* Keep the sample that was learned from last, and its target. */
void hil_rehearsal_keep(uint16_t slot, const uint8_t *target);

void hil_rehearsal_on_rehearse(const struct hil_request *request);

/* -- hil_parts.c: where HIL_CHUNK -- */

/* Forget the parts of a sample; those that were sent before the frame `seq` will not do. */
void hil_parts_forget(uint16_t seq);

/* Whether the sample that this step learns from (HIL_NEVER: that is inferred) is there,
 * and good; answers where not. */
bool hil_parts_there(const struct hil_request *request, uint32_t step);

void hil_parts_on_part(const struct hil_request *request);

/* -- hil_checkpoints.c: where HIL_SLOTS -- */

/* What the flash holds, after a reset. */
void hil_checkpoints_open(void);

/* Take state, step and run from a checkpoint, or leave all as it is. */
enum hil_status hil_checkpoints_resume(struct hil_init *init);

void hil_checkpoints_on_commit(const struct hil_request *request);

#endif
