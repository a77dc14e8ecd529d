/* The frame decoder and encoder against independent.h, on any bytes.
 *
 * Input: two bytes of capacity, then pieces: how, length, and what they need.
 * Pieces are raw bytes or frames with a right CRC, some of them damaged after:
 * a fuzzer finds no CRC by itself. */
#include "independent.h"

#include "hil_frame.h"
#include "hil_port.h"

enum { LINE = 1 << 12, LONGEST = 8 + 600 };

/* What hil_frame_send has sent. */
static struct {
    size_t size;
    uint8_t bytes[ON_LINE(LONGEST)];
} sent;

void hil_port_write(const uint8_t *data, size_t size)
{
    HOLDS(size <= sizeof sent.bytes - sent.size);
    memcpy(sent.bytes + sent.size, data, size);
    sent.size += size;
}

static uint8_t line[LINE];
static size_t line_size;

enum { RAW, FRAME, LONG_FRAME, DAMAGED };

/* Add one piece to the line; false when there is no room. */
static bool add_piece(struct input *in)
{
    const uint8_t how = take(in);
    const size_t count = take(in);
    uint8_t body[BODY_LEAST + 4 * 255 + CRC_SIZE] = { 0 };
    size_t size = count;

    if (LINE - line_size < 2 * ON_LINE(sizeof body)) { /* one is the last frame's */
        return false;
    }
    if ((how & 3) == RAW) {
        take_bytes(in, line + line_size, size);
        line_size += size;
        return true;
    }
    if ((how & 3) == LONG_FRAME) {
        size = BODY_LEAST + 4 * count;
        memset(body, how & 4 ? take(in) : 1, size);
        body[size - 1 - take(in) % size] = 0;
    } else {
        size = count < BODY_LEAST ? BODY_LEAST : count;
        take_bytes(in, body, count);
    }
    uint8_t *const frame = line + line_size;
    const size_t length = independent_encode(body, size, frame);

    if ((how & 3) == DAMAGED) {
        frame[take(in) % length] ^= how >> 2;
    }
    /* with or without the delimiter before it, and the one behind it */
    const size_t skipped = how >> 7, cut = how >> 6 & 1;
    memmove(frame, frame + skipped, length - skipped);
    line_size += length - skipped - cut;
    return true;
}

/* A body goes through the encoder and comes out of the decoder as it was. */
static void send_again(const uint8_t *body, size_t size)
{
    uint8_t copy[LONGEST + CRC_SIZE], found[sizeof copy], expected[ON_LINE(LONGEST)];
    struct hil_decoder decoder;
    size_t decoded = 0;

    memcpy(copy, body, size);
    const size_t length = independent_encode(copy, size, expected);
    memcpy(copy, body, size);
    sent.size = 0;
    hil_frame_send(copy, size);
    HOLDS(sent.size == length && memcmp(sent.bytes, expected, length) == 0);
    HOLDS(memcmp(copy, body, size) == 0);

    hil_decoder_init(&decoder, found, sizeof found);
    for (size_t i = 0; i < sent.size; i++) {
        HOLDS(decoded == 0);
        decoded = hil_decoder_push(&decoder, sent.bytes[i]);
    }
    HOLDS(decoded == size && decoder.damaged == 0);
    HOLDS(memcmp(found, body, size) == 0);
}

__attribute__((no_sanitize("coverage")))
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    size_t capacity = take(&in);

    capacity = BODY_LEAST + CRC_SIZE + (capacity | (size_t)take(&in) << 8) % 593;
    line_size = 0;
    while (in.size > 0 && add_piece(&in)) {
    }

    /* after all that and a delimiter, a good frame is seen */
    uint8_t last[BODY_LEAST + CRC_SIZE] = { 8, 0, 1, 2, 3, 4, 5, 6 };
    line_size += independent_encode(last, BODY_LEAST, line + line_size);

    /* its own piece of memory: the checks see every byte outside it */
    uint8_t *const body = malloc(capacity);
    static uint8_t expected[LINE];
    struct hil_decoder decoder;
    size_t begin = 0, found = 0;
    uint32_t damaged = 0;

    HOLDS(body != NULL);
    hil_decoder_init(&decoder, body, capacity);
    for (size_t i = 0; i < line_size; i++) {
        found = hil_decoder_push(&decoder, line[i]);
        HOLDS(decoder.body == body && decoder.capacity == capacity);
        HOLDS(decoder.size <= capacity);
        if (line[i] != 0) {
            HOLDS(found == 0 && decoder.damaged == damaged);
            continue;
        }
        const long told = independent_decode(line + begin, i - begin, capacity, expected);
        begin = i + 1;
        damaged += told == NO_FRAME;
        HOLDS(decoder.damaged == damaged);
        HOLDS(found == (size_t)(told > 0 ? told : 0));
        if (found > 0) {
            HOLDS(hil_crc32(body, found) == independent_crc(expected, found));
            HOLDS(memcmp(body, expected, found) == 0);
            send_again(expected, found);
        }
    }
    HOLDS(found == BODY_LEAST && memcmp(body, last, found) == 0);
    free(body);
    return 0;
}
