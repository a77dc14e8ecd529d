/* Frames on the line: 0x00 COBS(header payload crc32) 0x00.
 *
 * A frame's body is header and payload together, in one buffer that has room
 * for the CRC behind it. The decoder can always parse the next frame, whatever
 * came before; it never reads or writes outside its buffer.
 */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_protocol.h"

#define HIL_CRC_BYTES 4

/* CRC-32 (IEEE 802.3, reflected, as zlib's) of `size` bytes. */
uint32_t hil_crc32(const uint8_t *data, size_t size);

/* The same in parts: from HIL_CRC_START, and ended by hil_crc32_end. */
#define HIL_CRC_START 0xffffffffu
uint32_t hil_crc32_add(uint32_t crc, const uint8_t *data, size_t size);
uint32_t hil_crc32_end(uint32_t crc);

struct hil_decoder {
    uint8_t *body;    /* where the body is put together */
    size_t capacity;  /* bytes there, the CRC's included; at least one */
    size_t size;      /* bytes of this frame so far */
    uint8_t left;     /* data bytes before the next code byte */
    bool zero_follows; /* the block that ends here stands for a zero */
    bool broken;      /* this frame is too long: wait for the next */
    uint32_t damaged; /* frames dropped since boot */
};

/* Start decoding into `body` of `capacity` bytes. */
void hil_decoder_init(struct hil_decoder *d, uint8_t *body, size_t capacity);

/* Take one byte. Returns the size of a body (header and payload, at least the
 * header) when this byte completes a good frame, else 0. The body stays valid
 * until the next call. */
size_t hil_decoder_push(struct hil_decoder *d, uint8_t byte);

/* Send a body of `size` bytes; the CRC is written behind it, into the
 * HIL_CRC_BYTES that the caller has left there. */
void hil_frame_send(uint8_t *body, size_t size);

#endif
