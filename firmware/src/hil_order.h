/* The order in which frames were sent, by their sequence numbers. */
#ifndef HIL_ORDER_H
#define HIL_ORDER_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers wrap, so half of them are before. */
static inline bool hil_order_before(uint16_t seq, uint16_t other)
{
    return (int16_t)(seq - other) < 0;
}

/* Keep a mark within a quarter of all numbers of a frame that is newer, so that it
 * never seems to be ahead. */
static inline void hil_order_follow(uint16_t *mark, uint16_t seq)
{
    const uint16_t behind = seq - *mark;

    if (behind > 0x4000 && behind < 0x8000) {
        *mark = seq - 0x4000;
    }
}

#endif
