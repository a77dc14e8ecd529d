/* The order in which frames were sent, by their sequence numbers. */
#ifndef HIL_ORDER_H
#define HIL_ORDER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether `seq` was sent before `other`. Numbers wrap: half of them count as before. */
static inline bool hil_order_before(uint16_t seq, uint16_t other)
{
    return (int16_t)(seq - other) < 0;
}

/* Keep the number of an older frame within a quarter of all numbers behind a newer one:
 * further behind it would come to count as ahead. */
static inline void hil_order_follow(uint16_t *mark, uint16_t seq)
{
    const uint16_t behind = seq - *mark;

    if (behind > 0x4000 && behind < 0x8000) {
        *mark = seq - 0x4000;
    }
}

#endif
