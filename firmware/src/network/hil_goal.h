/* The goal: what a step learns from besides its sample. All that differs with it stands
 * here, but for where targets are kept.
 *
 * A target is HIL_TARGET_BYTES as they travel before their sample, aligned or not: a
 * label (u16), as many numbers (f32) as there are outputs, or nothing, where the sample
 * itself is what the outputs are held against.
 */
#ifndef HIL_GOAL_H
#define HIL_GOAL_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_learner_parts.h"
#include "hil_memory.h"

/* A step from a sample; without one, from the features that are at hand. */
#ifdef HIL_KEEPS_FEATURES
#define HIL_LEARN(sample, ...)                                                             \
    ((sample) != NULL                                                                  \
         ? net_step(&hil_learner.net, sample, __VA_ARGS__)                             \
         : net_step_again(&hil_learner.net, hil_learner.rehearsal.again, __VA_ARGS__))
#else
#define HIL_LEARN(sample, ...) net_step(&hil_learner.net, sample, __VA_ARGS__)
#endif

#if HIL_GOAL == HIL_GOAL_LABEL

_Static_assert(HIL_TARGET_BYTES == sizeof(uint16_t), "a label has another size");

/* A target as net_step takes it. */
typedef uint32_t hil_goal_t;

static inline hil_goal_t hil_goal_of(const uint8_t *target)
{
    uint16_t label;

    memcpy(&label, target, sizeof label);
    return label;
}

/* Whether a step can learn from it: a label is an output's. */
static inline bool hil_goal_good(const uint8_t *target)
{
    return hil_goal_of(target) < NET_OUTPUTS;
}

static inline int hil_goal_step(const net_sample_t *sample, hil_goal_t label, float eta,
                                float *loss)
{
    return HIL_LEARN(sample, label, eta, loss);
}

/* Whether the largest output, the first of equals, is the label's. */
static inline bool hil_goal_reached(const uint8_t *target)
{
    const uint32_t label = hil_goal_of(target);
    const float *const p = net_outputs(&hil_learner.net);

    for (uint32_t j = 0; j < NET_OUTPUTS; j++) {
        if (p[j] > p[label] || (j < label && p[j] == p[label])) {
            return false;
        }
    }
    return true;
}

#else

/* Any numbers will do: where they lead to an infinity or a NaN, net_step tells. */
static inline bool hil_goal_good(const uint8_t *target)
{
    (void)target;
    return true;
}

#if HIL_GOAL == HIL_GOAL_VECTOR

_Static_assert(HIL_TARGET_BYTES == sizeof(float) * NET_OUTPUTS,
               "a vector has another size");

typedef const float *hil_goal_t;

/* An aligned copy, until the next. */
static inline hil_goal_t hil_goal_of(const uint8_t *target)
{
    memcpy(hil_learner.target, target, sizeof hil_learner.target);
    return hil_learner.target;
}

static inline int hil_goal_step(const net_sample_t *sample, hil_goal_t target, float eta,
                                float *loss)
{
    return HIL_LEARN(sample, target, eta, loss);
}

#else

_Static_assert(HIL_GOAL == HIL_GOAL_SAMPLE && HIL_TARGET_BYTES == 0, "no such goal");

typedef const uint8_t *hil_goal_t;

static inline hil_goal_t hil_goal_of(const uint8_t *target)
{
    return target;
}

static inline int hil_goal_step(const net_sample_t *sample, hil_goal_t nothing, float eta,
                                float *loss)
{
    (void)nothing;
    return HIL_LEARN(sample, eta, loss);
}

#endif

/* Only a label is right or wrong. */
static inline bool hil_goal_reached(const uint8_t *target)
{
    (void)target;
    return false;
}

#endif

#endif
