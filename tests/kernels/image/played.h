/* Checks of the kernels that play spikes in time, bits and events: part of checks.c. */
#ifndef PLAYED_H
#define PLAYED_H

static void check_bits_to_f32(void (*kernel)(const uint32_t *, float *, size_t))
{
    static uint32_t bits[MOST / 32 + 2];

    EACH (n, sizes) {
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) { /* of ones beyond n, too */
            bits[i] = draw() | draw();
        }
        fill_outputs(n);
        hil_bits_to_f32__scalar(bits, first_out[0], n);
        kernel(bits, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_bits_to_u8(void (*kernel)(const uint32_t *, uint8_t *, size_t))
{
    static uint32_t bits[WIDEST / 32 + 2];

    EACH (n, widths) {
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
            bits[i] = draw() | draw();
        }
        clear_stored();
        hil_bits_to_u8__scalar(bits, (uint8_t *)stored[0], n);
        kernel(bits, (uint8_t *)stored[1], n);
        same_stored(1, n);
    }
}

static void check_bits_to_i8(void (*kernel)(const uint32_t *, int8_t *, size_t))
{
    static uint32_t bits[WIDEST / 32 + 2];

    EACH (n, widths) {
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
            bits[i] = draw() | draw();
        }
        clear_stored();
        hil_bits_to_i8__scalar(bits, stored[0], n);
        kernel(bits, stored[1], n);
        same_stored(1, n);
    }
}

static void same_lists(size_t want, size_t got, size_t n)
{
    same_word((uint32_t)want, (uint32_t)got, 1, n, 0);
    for (size_t i = 0; i < n + GUARD; i++) {
        same_word(i < want || i >= n ? lists[0][i] : 0, i < want || i >= n ? lists[1][i] : 0,
                  1, n, i);
    }
}

static void clear_lists(size_t n)
{
    for (size_t i = 0; i < n + GUARD; i++) {
        lists[0][i] = lists[1][i] = 7;
    }
}

static void check_bits_active(size_t (*kernel)(const uint32_t *, uint16_t *, size_t))
{
    static uint32_t bits[WIDEST / 32 + 2];

    EACH (n, widths) {
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
            bits[i] = draw() % 3 == 0 ? 0 : draw() & draw();
        }
        clear_lists(n);
        same_lists(hil_bits_active__scalar(bits, lists[0], n), kernel(bits, lists[1], n), n);
    }
}

/* Events of four ticks, of which some descend, some are none, and some are nobody's. */
static void fill_events(uint16_t *events, size_t capacity, size_t n)
{
    for (size_t k = 0; k < capacity; k++) {
        events[2 * k] = (uint16_t)(4 * k / capacity + (draw() % 50 == 0));
        events[2 * k + 1] = (uint16_t)(draw() % (n + 2));
    }
}

static void check_u16_events_to_f32(size_t (*kernel)(const uint16_t *, size_t, size_t,
                                                     uint32_t, float *, size_t))
{
    EACH (n, sizes) {
        size_t want = 0, got = 0;
        fill_events(lists[0], 40, n);
        for (uint32_t tick = 0; tick < 4; tick++) {
            fill_outputs(n);
            want = hil_u16_events_to_f32__scalar(lists[0], 40, want, tick, first_out[0], n);
            got = kernel(lists[0], 40, got, tick, first_out[1], n);
            same_word((uint32_t)want, (uint32_t)got, 1, n, 0);
            same(first_out, 1, n);
        }
    }
}

static void check_u16_events_to_u8(size_t (*kernel)(const uint16_t *, size_t, size_t,
                                                    uint32_t, uint8_t *, size_t))
{
    EACH (n, widths) {
        fill_events(lists[0], 40, n);
        clear_stored();
        const size_t want =
            hil_u16_events_to_u8__scalar(lists[0], 40, 0, 0, (uint8_t *)stored[0], n);
        same_word((uint32_t)want, (uint32_t)kernel(lists[0], 40, 0, 0, (uint8_t *)stored[1], n),
                  1, n, 0);
        same_stored(1, n);
    }
}

static void check_u16_events_to_i8(size_t (*kernel)(const uint16_t *, size_t, size_t,
                                                    uint32_t, int8_t *, size_t))
{
    EACH (n, widths) {
        size_t want = 0, got = 0;
        fill_events(lists[0], 40, n);
        for (uint32_t tick = 0; tick < 4; tick++) {
            clear_stored();
            want = hil_u16_events_to_i8__scalar(lists[0], 40, want, tick, stored[0], n);
            got = kernel(lists[0], 40, got, tick, stored[1], n);
            same_word((uint32_t)want, (uint32_t)got, 1, n, 0);
            same_stored(1, n);
        }
    }
}

static void check_u16_events_to_bits(size_t (*kernel)(const uint16_t *, size_t, size_t,
                                                      uint32_t, uint32_t *, size_t))
{
    static uint32_t bits[2][WIDEST / 32 + 2];

    EACH (n, widths) {
        fill_events(lists[0], 40, n);
        for (size_t k = 0; k < sizeof bits[0] / sizeof *bits[0]; k++) {
            bits[0][k] = bits[1][k] = draw();
        }
        const size_t want = hil_u16_events_to_bits__scalar(lists[0], 40, 0, 0, bits[0], n);
        same_word((uint32_t)want, (uint32_t)kernel(lists[0], 40, 0, 0, bits[1], n), 1, n, 0);
        for (size_t k = 0; k < sizeof bits[0] / sizeof *bits[0]; k++) {
            same_word(bits[0][k], bits[1][k], 1, n, k);
        }
    }
}

#endif
