/* The C codec for a caller in the same process: what it makes of a line. */
#include <string.h>

#include "hil_frame.h"
#include "hil_port.h"

static uint8_t *sent;

void hil_port_write(const uint8_t *data, size_t size)
{
    memcpy(sent, data, size);
    sent += size;
}

/* Bodies found in `line`, each behind its size (u32), into `bodies`, which has
 * room for four times the line. Returns the bytes there. */
size_t collect(const uint8_t *line, size_t size, uint8_t *buffer, size_t capacity,
               uint8_t *bodies, uint32_t *damaged)
{
    struct hil_decoder decoder;
    size_t at = 0;

    hil_decoder_init(&decoder, buffer, capacity);
    for (size_t i = 0; i < size; i++) {
        const uint32_t found = (uint32_t)hil_decoder_push(&decoder, line[i]);
        if (found > 0) {
            memcpy(bodies + at, &found, sizeof found);
            memcpy(bodies + at + sizeof found, buffer, found);
            at += sizeof found + found;
        }
    }
    *damaged = decoder.damaged;
    return at;
}

/* The frame around `body`, which has room for the CRC; returns its size. */
size_t frame(uint8_t *body, size_t size, uint8_t *line)
{
    sent = line;
    hil_frame_send(body, size);
    return (size_t)(sent - line);
}
