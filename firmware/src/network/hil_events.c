#include "hil_learner_parts.h"
#include "hil_memory.h"

/* A tick, or an address. */
static uint16_t number_at(const uint8_t *sample, size_t k)
{
    uint16_t number;

    memcpy(&number, sample + k * sizeof number, sizeof number);
    return number;
}

bool hil_events_good(const uint8_t *sample)
{
    size_t k = 0;

    for (uint16_t last = 0; k < NET_INPUTS && number_at(sample, k) != NET_NO_EVENT; k += 2) {
        const uint16_t tick = number_at(sample, k);

        if (tick < last || tick >= NET_TICKS || number_at(sample, k + 1) >= NET_ADDRESSES) {
            return false;
        }
        last = tick;
    }
    for (; k < NET_INPUTS; k++) {
        if (number_at(sample, k) != NET_NO_EVENT) {
            return false;
        }
    }
    return true;
}
