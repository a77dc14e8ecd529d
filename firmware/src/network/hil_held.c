#include "hil_learner_parts.h"
#include "hil_memory.h"

/* Sums of whole numbers stay within their words because no number of the state leaves
 * its limits: learning keeps it there, and here nobody else takes it out. */
static const struct {
    uint8_t bytes; /* of an element; 0: it may be any */
    int32_t least, most;
} held[NET_STATE_TENSORS] = HIL_HELD;

/* A whole number of so many bytes, with its sign. */
static int32_t element(const uint8_t *at, size_t bytes)
{
    const unsigned above = 32 - 8 * (unsigned)bytes;
    uint32_t word = 0;

    memcpy(&word, at, bytes);
    return (int32_t)(word << above) >> above;
}

bool hil_held_within(size_t tensor, const uint8_t *data, size_t size)
{
    const size_t bytes = held[tensor].bytes;

    for (size_t at = 0; bytes != 0 && at < size; at += bytes) {
        const int32_t value = element(data + at, bytes);

        if (value < held[tensor].least || value > held[tensor].most) {
            return false;
        }
    }
    return true;
}

bool hil_held_state(void)
{
    for (size_t tensor = 0; tensor < NET_STATE_TENSORS; tensor++) {
        size_t words = 0;
        const uint8_t *const data = net_state(&hil_learner.net, tensor, &words);

        if (!hil_held_within(tensor, data, words * 4)) {
            return false;
        }
    }
    return true;
}
