#include "hil_frame.h"

#include "hil_port.h"

uint32_t hil_crc32_add(uint32_t crc, const uint8_t *data, size_t size)
{
    /* Half a byte at a time: sixteen words of table instead of 256. */
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return crc;
}

uint32_t hil_crc32_end(uint32_t crc)
{
    return ~crc;
}

uint32_t hil_crc32(const uint8_t *data, size_t size)
{
    return hil_crc32_end(hil_crc32_add(HIL_CRC_START, data, size));
}

static void put_le32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint32_t get_le32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static void restart(struct hil_decoder *d)
{
    d->size = 0;
    d->left = 0;
    d->zero_follows = false;
    d->broken = false;
}

void hil_decoder_init(struct hil_decoder *d, uint8_t *body, size_t capacity)
{
    d->body = body;
    d->capacity = capacity;
    d->damaged = 0;
    restart(d);
}

/* A delimiter: is what lies in the buffer a frame? */
static size_t finish(struct hil_decoder *d)
{
    const size_t size = d->size;
    const bool whole = !d->broken && d->left == 0 &&
                       size >= sizeof(struct hil_header) + HIL_CRC_BYTES;
    const bool nothing = size == 0 && d->left == 0 && !d->zero_follows;

    restart(d);
    if (nothing) {
        return 0; /* two delimiters in a row */
    }
    if (!whole ||
        get_le32(d->body + size - HIL_CRC_BYTES) !=
            hil_crc32(d->body, size - HIL_CRC_BYTES)) {
        d->damaged++;
        return 0;
    }
    return size - HIL_CRC_BYTES;
}

static void append(struct hil_decoder *d, uint8_t byte)
{
    if (d->size == d->capacity) {
        d->broken = true;
    } else {
        d->body[d->size++] = byte;
    }
}

size_t hil_decoder_push(struct hil_decoder *d, uint8_t byte)
{
    if (byte == 0) {
        return finish(d);
    }
    if (d->left > 0) {
        d->left--;
        append(d, byte);
        return 0;
    }
    /* A code byte: byte - 1 data bytes follow, then a zero, unless it is 255
     * or the frame ends. */
    if (d->zero_follows) {
        append(d, 0);
    }
    d->left = (uint8_t)(byte - 1);
    d->zero_follows = byte != 0xff;
    return 0;
}

/* Bytes on their way out, so that the port is asked for runs, not for bytes. */
struct outgoing {
    size_t count;
    uint8_t bytes[128];
};

static void flush(struct outgoing *out)
{
    hil_port_write(out->bytes, out->count);
    out->count = 0;
}

static void put(struct outgoing *out, uint8_t byte)
{
    if (out->count == sizeof out->bytes) {
        flush(out);
    }
    out->bytes[out->count++] = byte;
}

void hil_frame_send(uint8_t *body, size_t size)
{
    const size_t end = size + HIL_CRC_BYTES;
    struct outgoing out;
    size_t at = 0;

    out.count = 0;
    put_le32(body + size, hil_crc32(body, size));
    put(&out, 0);
    for (;;) {
        size_t run = 0;
        while (run < 254 && at + run < end && body[at + run] != 0) {
            run++;
        }
        put(&out, (uint8_t)(run + 1));
        for (size_t i = 0; i < run; i++) {
            put(&out, body[at + i]);
        }
        at += run;
        if (at == end) {
            break;
        }
        if (run < 254) {
            at++; /* the zero this block stands for */
        }
    }
    put(&out, 0);
    flush(&out);
}
