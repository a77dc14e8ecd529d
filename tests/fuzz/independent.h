/* docs/protocol.md read a second time, for the harnesses: frames whole instead
 * of byte by byte, a CRC by a table of its own. Nothing of the firmware is used. */
#ifndef INDEPENDENT_H
#define INDEPENDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_LEAST = 8, CRC_SIZE = 4, NO_FRAME = -1, NO_BYTES = 0 };

/* An invariant; a broken one ends the process, which the fuzzer reports. */
#define HOLDS(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,  \
                    #condition);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* The fuzzer is to learn the firmware's ways, not those of what is here. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

static uint32_t independent_crc(const uint8_t *data, size_t size)
{
    static uint32_t table[256];
    uint32_t crc = ~0u;

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t r = i;
            for (int bit = 0; bit < 8; bit++) {
                r = r & 1 ? r >> 1 ^ 0xedb88320u : r >> 1;
            }
            table[i] = r;
        }
    }
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
    }
    return ~crc;
}

static uint32_t independent_le32(const uint8_t *from)
{
    return from[0] | from[1] << 8 | from[2] << 16 | (uint32_t)from[3] << 24;
}

/* What the `size` bytes between two delimiters are to a receiver with room for
 * `capacity` bytes: the size of a body, which is put into `body` (room for
 * `size` bytes), or NO_FRAME, or NO_BYTES. */
static long independent_decode(const uint8_t *coded, size_t size, size_t capacity,
                               uint8_t *body)
{
    size_t at = 0, made = 0;

    if (size == 0) {
        return NO_BYTES;
    }
    while (at < size) {
        const size_t block = coded[at] - 1u;
        const bool full = coded[at] == 255;

        at++;
        if (block > size - at) {
            return NO_FRAME;
        }
        memcpy(body + made, coded + at, block);
        made += block;
        at += block;
        if (!full && at < size) {
            body[made++] = 0;
        }
    }
    if (made > capacity || made < BODY_LEAST + CRC_SIZE) {
        return NO_FRAME;
    }
    made -= CRC_SIZE;
    return independent_le32(body + made) == independent_crc(body, made) ? (long)made
                                                                        : NO_FRAME;
}

/* Most bytes that a body of `size` bytes is on the line. */
#define ON_LINE(size) ((size) + CRC_SIZE + ((size) + CRC_SIZE) / 254 + 3)

/* The frame around a body, delimiters included; returns its size. The body
 * needs room for the CRC behind it. */
static size_t independent_encode(uint8_t *body, size_t size, uint8_t *line)
{
    const uint32_t crc = independent_crc(body, size);
    size_t code = 1, made = 2;

    for (int i = 0; i < CRC_SIZE; i++) {
        body[size + (size_t)i] = (uint8_t)(crc >> (8 * i));
    }
    size += CRC_SIZE;
    line[0] = 0;
    for (size_t i = 0; i < size; i++) {
        if (made - code == 255) { /* the block is full, and more follows */
            line[code] = 255;
            code = made++;
        }
        if (body[i] == 0) {
            line[code] = (uint8_t)(made - code);
            code = made++;
        } else {
            line[made++] = body[i];
        }
    }
    line[code] = (uint8_t)(made - code);
    line[made++] = 0;
    return made;
}

/* What is left of the fuzzer's input; behind its end everything is zero. */
struct input {
    const uint8_t *data;
    size_t size;
};

static uint8_t take(struct input *in)
{
    if (in->size == 0) {
        return 0;
    }
    in->size--;
    return *in->data++;
}

static void take_bytes(struct input *in, uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = take(in);
    }
}

#pragma clang attribute pop

#endif
