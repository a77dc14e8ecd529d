/* The whole firmware on a line that is the fuzzer's, with a small real network.
 *
 * Input: a byte whose lowest bit says whether a session is open at first, then
 * pieces. A piece is raw bytes, the stride in which bytes come, or a message
 * of fuzz_messages.h: its fields filled with numbers that may mean something,
 * framed with a right CRC and the session's nonce, or almost.
 *
 * Each time the firmware asks for bytes it has done all it will do for those it
 * had. Then a model of the protocol, which reads the same line by
 * independent.h, says what may have changed and what must have been answered.
 *
 * The session is part of this file: its state is looked at, and set back, as the
 * learner's is.
 *
 * More than 400 lines because a model of what the firmware must answer is in it.
 */
#define _GNU_SOURCE /* memfd_create */
#include "../firmware/src/hil_session.c"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_messages.h"
#include "hil_goal.h"
#include "hil_learner_parts.h"
#include "independent.h"

#define BODY (HIL_HEADER_BYTES + HIL_MAX_PAYLOAD)
#define LONGEST_TAIL (HIL_MAX_PAYLOAD + 64)

enum { NONCE = 0x12345678, ASKED = 8, PIECE = 1 << 12, LINE = 1 << 13 };

/* Bytes of a sample in a PART, 0: samples come whole. */
#ifdef HIL_CHUNK
enum { CHUNK = HIL_CHUNK };
#else
enum { CHUNK = 0 };
#endif

/* Steps that one frame may ask for. */
#if HIL_RESIDENT
#define MOST_STEPS (HIL_THIN > HIL_SAMPLES ? HIL_THIN : HIL_SAMPLES)
#else
#define MOST_STEPS HIL_SAMPLES
#endif

/* Frames that one read can complete at most: each has 14 bytes or more. */
_Static_assert(64 / 14 + 1 <= ASKED, "one read may complete more frames");

struct frame {
    struct hil_header header;
    size_t size; /* of the payload */
    uint8_t payload[BODY];
};

/* A reply to steps, or to a COMMIT, that the device may give again. */
struct given {
    uint8_t kind;
    size_t size;
    uint8_t payload[BODY];
};

static struct {
    struct input in;
    jmp_buf over;
    /* the line to the firmware: made, and not yet given */
    uint8_t line[LINE];
    size_t at, end, stride;
    /* what the model has of the frame that is being received */
    uint8_t piece[PIECE];
    size_t piece_size;
    uint32_t damaged;
    /* the frames that the last read has completed */
    struct frame asked[ASKED];
    size_t count;
    /* what the firmware has sent since: a reply each, telemetry, a fault */
    uint8_t out[ASKED * (ON_LINE(BODY) + 2 * ON_LINE(HIL_HEADER_BYTES + 64))];
    size_t out_size;
    uint32_t boot; /* the session's nonce, 0 without one */
    uint16_t seq;  /* of the last message that was made */
    /* of the latest frames that did something, by what they did */
    uint16_t init, write, step, part;
    /* since the session began and the last INIT; given_count counts all of them */
    struct given given[HIL_WINDOW];
    size_t given_count;
    int flash; /* a file in memory */
} model;

/* The firmware's state after the last good frame: the learner's, and of the session's
 * what no decoder changes. */
static struct {
    struct hil_learner learner;
    uint32_t boot, telemetry;
} before;

/* Whether all is as it was but for the network: kept replies, flags. */
static bool rest_is_same(void)
{
    const size_t network = offsetof(struct hil_learner, sample);

    return memcmp((uint8_t *)&before.learner + network, (uint8_t *)&hil_learner + network,
                  sizeof hil_learner - network) == 0 &&
           before.boot == session.boot && before.telemetry == session.telemetry;
}

/* A copy of the network in which nothing is pending. */
static net_t settled(const net_t *net)
{
    net_t copy = *net;

#if NET_PENDING
    net_flush(&copy);
#endif
    return copy;
}

static bool same_state(const net_t *a, const net_t *b)
{
    return memcmp(&a->state, &b->state, sizeof a->state) == 0 && a->step == b->step;
}

/* Kinds that change no state, whatever they say and however it ends. */
static bool harmless(uint8_t kind)
{
    return kind == HIL_HELLO || kind == HIL_INFER || kind == HIL_READ ||
           kind == HIL_DIGEST || kind == HIL_ECHO || kind == HIL_LEAVE ||
           kind == HIL_COMMIT || kind == HIL_PING || kind == HIL_PART;
}

/* Kinds that leave everything but the network's words alone. */
static bool only_words(uint8_t kind)
{
    return kind == HIL_READ || kind == HIL_WRITE || kind == HIL_DIGEST ||
           kind == HIL_ECHO || kind == HIL_PING;
}

static bool refused(uint8_t status)
{
    return status != HIL_OK && status != HIL_REPLAYED && status != HIL_FAULTED;
}

/* Whether number a was given before b, modulo 2^16. */
static bool earlier(uint16_t a, uint16_t b)
{
    return (uint16_t)(b - a - 1) < 0x7fff;
}

/* Whether a frame of the session comes after what was built on it, and is met with
 * silence, unless it has not even its kind's form. */
static bool comes_late(const struct frame *ask)
{
    const uint16_t seq = ask->header.seq;
    struct hil_read range;

    if (ask->header.boot != model.boot) {
        return false;
    }
    switch (ask->header.kind) {
    case HIL_INIT:
        return ask->size == sizeof(struct hil_init) &&
               (earlier(seq, model.init) || earlier(seq, model.write) ||
                earlier(seq, model.step));
    case HIL_WRITE:
        if (ask->size < sizeof range) {
            return false;
        }
        memcpy(&range, ask->payload, sizeof range);
        return ask->size == sizeof range + range.count * (size_t)4 &&
               (earlier(seq, model.init) || earlier(seq, model.step));
    case HIL_STEP:
        return ask->size >= sizeof(struct hil_step) && earlier(seq, model.init);
    case HIL_STEP_RESIDENT:
        return HIL_RESIDENT && ask->size >= sizeof(struct hil_step_resident) &&
               earlier(seq, model.init);
    case HIL_REHEARSE:
        return HIL_REHEARSAL && ask->size >= sizeof(struct hil_rehearse) &&
               earlier(seq, model.init);
    case HIL_COMMIT:
        return ask->size == sizeof(struct hil_commit) && earlier(seq, model.init);
    case HIL_PART:
        return CHUNK > 0 && ask->size >= sizeof(struct hil_part) &&
               (earlier(seq, model.part) || earlier(seq, model.init));
    default:
        return false;
    }
}

/* The marks stay within a quarter of all numbers of what is newer. */
static void follow_mark(uint16_t *mark, uint16_t seq)
{
    const uint16_t ahead = (uint16_t)(seq - *mark);

    if (ahead > 0x4000 && ahead < 0x8000) {
        *mark = (uint16_t)(seq - 0x4000);
    }
}

static void follow_marks(const struct frame *ask)
{
    if (ask->header.kind != HIL_HELLO && ask->header.boot == model.boot) {
        follow_mark(&model.init, ask->header.seq);
        follow_mark(&model.write, ask->header.seq);
        follow_mark(&model.step, ask->header.seq);
        follow_mark(&model.part, ask->header.seq);
    }
}

/* A request was done: what is older than it may come late from now on. */
static void mark(const struct frame *ask, const struct frame *told)
{
    const uint16_t seq = ask->header.seq;

    if (told->header.status != HIL_OK) {
        return;
    }
    switch (ask->header.kind) {
    case HIL_INIT:
        model.init = model.part = seq;
        break;
    case HIL_PART: /* the first of a sample, and no copy of it */
        if (independent_le32(ask->payload + 4) == 0 && model.part != seq) {
            model.part = model.step = seq;
        }
        break;
    case HIL_WRITE:
        model.write = seq;
        break;
    case HIL_STEP:
    case HIL_STEP_RESIDENT:
    case HIL_REHEARSE:
    case HIL_COMMIT:
        model.step = seq;
        break;
    default:
        break;
    }
}

/* Whether a kind's replies are kept by the device. */
static bool is_kept(uint8_t kind)
{
    return kind == HIL_STEP || kind == HIL_STEP_RESIDENT || kind == HIL_REHEARSE ||
           kind == HIL_COMMIT;
}

/* What is given again was given before, in this session and since the last INIT, byte
 * for byte, and is one of the last HIL_WINDOW. */
static void check_given(const struct frame *ask, const struct frame *told)
{
    const uint8_t kind = ask->header.kind;

    if (told->header.status == HIL_REPLAYED) {
        size_t i = 0;
        while (i < model.given_count && i < HIL_WINDOW &&
               !(model.given[i].kind == kind && model.given[i].size == told->size &&
                 memcmp(model.given[i].payload, told->payload, told->size) == 0)) {
            i++;
        }
        HOLDS(i < model.given_count && i < HIL_WINDOW);
    }
    if (told->header.status != HIL_OK) {
        return;
    }
    if (kind == HIL_INIT) {
        model.given_count = 0;
    } else if (is_kept(kind)) {
        struct given *const given = &model.given[model.given_count++ % HIL_WINDOW];
        given->kind = kind;
        given->size = told->size;
        memcpy(given->payload, told->payload, told->size);
    }
}

static const struct message *declared(uint8_t kind)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        if (messages[i].kind == kind) {
            return &messages[i];
        }
    }
    return NULL;
}

/* -- what the firmware says ------------------------------------------------ */

void hil_port_write(const uint8_t *data, size_t size)
{
    HOLDS(size <= sizeof model.out - model.out_size);
    memcpy(model.out + model.out_size, data, size);
    model.out_size += size;
}

/* The next frame the firmware has sent, from *at on; false when that was all.
 * It sends frames, and nothing but frames. */
static bool next_told(size_t *at, struct frame *told)
{
    static uint8_t body[sizeof model.out];
    const size_t begin = *at + 1;
    size_t end = begin;

    if (*at == model.out_size) {
        return false;
    }
    HOLDS(model.out[*at] == 0);
    while (end < model.out_size && model.out[end] != 0) {
        end++;
    }
    HOLDS(end < model.out_size);
    *at = end + 1;
    const long size =
        independent_decode(model.out + begin, end - begin, BODY + CRC_SIZE, body);
    HOLDS(size > 0);
    memcpy(&told->header, body, HIL_HEADER_BYTES);
    told->size = (size_t)size - HIL_HEADER_BYTES;
    memcpy(told->payload, body + HIL_HEADER_BYTES, told->size);
    return true;
}

/* Telemetry, faults: of a kind that only the device sends, and of its size. */
static void check_unsolicited(const struct frame *told)
{
    const struct message *const known = declared(told->header.kind);

    HOLDS(known != NULL && !known->request);
    HOLDS(told->size == known->reply_size && told->header.seq == 0);
    HOLDS(told->header.boot == model.boot);
}

static void check_reply(const struct frame *ask, const struct frame *told)
{
    const struct hil_header *const header = &told->header;
    const struct message *const known = declared(ask->header.kind);
    const bool done = header->status == HIL_OK || header->status == HIL_REPLAYED;

    HOLDS(header->kind == (ask->header.kind | HIL_REPLY));
    HOLDS(header->seq == ask->header.seq && header->status < STATUSES);
    if (ask->header.kind == HIL_HELLO) {
        if (done && model.boot != ask->header.boot) {
            model.boot = ask->header.boot;
            model.init = model.write = model.step = model.part = ask->header.seq;
            model.given_count = 0;
        }
    } else if (ask->header.boot != model.boot) {
        HOLDS(header->status == HIL_STALE_BOOT);
    } else {
        HOLDS(header->status != HIL_STALE_BOOT);
    }
    HOLDS(header->boot == model.boot);
    if (done) {
        HOLDS(known != NULL && known->request);
        HOLDS(told->size >= known->reply_size);
        HOLDS(known->reply_tail || told->size == known->reply_size);
    } else if (header->status == HIL_OUT_OF_STEP) {
        HOLDS(told->size == sizeof(struct hil_out_of_step));
    } else {
        HOLDS(told->size == 0);
    }
}

/* -- what it may have changed ---------------------------------------------- */

/* The words that a READ or WRITE names, in `net`, which is settled. */
static uint8_t *named(net_t *net, const struct hil_read *ask)
{
    size_t words = 0;
    uint8_t *const data = net_state(net, ask->tensor, &words);

    HOLDS(data != NULL && (uint64_t)ask->offset + ask->count <= words);
    return data + (size_t)ask->offset * 4;
}

/* Whether a sample that was taken is one; a list of events is the only kind that may be
 * none, here of ticks below TICKS and addresses below INPUTS. */
static bool is_sample(const uint8_t *sample)
{
#ifdef NET_NO_EVENT
    bool over = false;

    for (uint32_t k = 0, last = 0; k < SAMPLE_BYTES; k += 4) {
        const uint32_t tick = sample[k] | sample[k + 1] << 8;
        const uint32_t address = sample[k + 2] | sample[k + 3] << 8;

        over |= tick == 0xffff && address == 0xffff;
        if (over ? tick != 0xffff || address != 0xffff
                 : tick < last || tick >= TICKS || address >= INPUTS) {
            return false;
        }
        last = tick;
    }
#else
    (void)sample;
#endif
    return true;
}

/* One frame alone: exactly what it is for has happened. */
static void check_effect(const struct frame *ask, const struct frame *told, net_t *old,
                         net_t *new)
{
    const uint8_t kind = ask->header.kind, status = told->header.status;
    const uint32_t steps = new->step - old->step;
    struct hil_read range;

    if (status == HIL_OK && (kind == HIL_READ || kind == HIL_WRITE)) {
        memcpy(&range, ask->payload, sizeof range);
        const size_t bytes = range.count * (size_t)4;
        uint8_t *const words = named(old, &range);

        if (kind == HIL_READ) {
            HOLDS(told->size == sizeof range + bytes);
            HOLDS(memcmp(told->payload + sizeof range, words, bytes) == 0);
        } else {
            HOLDS(range.tensor < NET_STATE_TENSORS);
            HOLDS(ask->size == sizeof range + bytes);
            memcpy(words, ask->payload + sizeof range, bytes);
            HOLDS(same_state(old, new));
            HOLDS(memcmp(old->worker.arena, new->worker.arena,
                         sizeof old->worker.arena) == 0);
        }
    }
    if (status == HIL_OK && kind == HIL_ECHO) {
        HOLDS(told->size == ask->size);
        HOLDS(memcmp(told->payload, ask->payload, ask->size) == 0);
    }
    if (status == HIL_OK && kind == HIL_INFER) {
        const uint64_t count = independent_le32(ask->payload);

        HOLDS(ask->size == sizeof(struct hil_infer) + count * SENT_BYTES);
        for (size_t i = 0; i < count && CHUNK == 0; i++) {
            HOLDS(is_sample(ask->payload + sizeof(struct hil_infer) + i * SAMPLE_BYTES));
        }
        HOLDS(told->size == sizeof(struct hil_infer_reply) + count * OUTPUT_BYTES);
    }
    if (status == HIL_OK && kind == HIL_STEP) {
        struct hil_step step;
        const uint8_t *target = ask->payload + sizeof step;

        memcpy(&step, ask->payload, sizeof step);
        HOLDS(step.count > 0 && isfinite(step.eta));
        HOLDS(ask->size == sizeof step + step.count * TAUGHT_BYTES);
        HOLDS(told->size == sizeof(struct hil_step_reply) + step.count * RESULT_BYTES);
        for (size_t i = 0; i < step.count; i++, target += TAUGHT_BYTES) {
            HOLDS(CHUNK > 0 || is_sample(target + HIL_TARGET_BYTES));
            HOLDS(HIL_GOAL != HIL_GOAL_LABEL || (target[0] | target[1] << 8) < NET_OUTPUTS);
        }
    }
    if (kind == HIL_STEP || kind == HIL_STEP_RESIDENT || kind == HIL_REHEARSE) {
        const uint32_t count = kind == HIL_STEP_RESIDENT
                                   ? ask->payload[6] | ask->payload[7] << 8
                                   : ask->payload[5];

        HOLDS(steps <= MOST_STEPS);
        HOLDS(status != HIL_OK || steps == count);
        HOLDS(status != HIL_OK || independent_le32(ask->payload) == old->step);
        HOLDS(status != HIL_FAULTED || steps == 0 || steps < count);
        /* nothing of the sample that led to it has been learned */
        HOLDS(status != HIL_FAULTED || steps > 0 || IN_PASSING || same_state(old, new));
    }
}

/* One frame alone: a slot of the rehearsal buffer holds another sample only where a
 * STEP has said so, and then that STEP's. What is learned again was there before. */
static void check_rehearsal(const struct frame *ask, uint8_t status)
{
#if HIL_REHEARSAL
    static struct hil_rehearsal kept;
    const uint8_t kind = ask->header.kind;
    struct hil_step step;

    memcpy(&kept, &before.learner.rehearsal, sizeof kept);
    if (status == HIL_OK && kind == HIL_INIT) {
        memset(kept.filled, 0, sizeof kept.filled);
    } else if (status == HIL_OK && kind == HIL_STEP && (ask->payload[4] & HIL_STEP_KEEP)) {
        memcpy(&step, ask->payload, sizeof step);
        HOLDS(step.count == 1 && step.slot < HIL_REHEARSAL);
        const uint8_t *const target = ask->payload + sizeof step;
#if HIL_TARGET_BYTES
        memcpy(kept.target[step.slot], target, HIL_TARGET_BYTES);
#endif
        memcpy(kept.kept[step.slot], target + HIL_TARGET_BYTES, SAMPLE_BYTES);
        kept.filled[step.slot] = true;
    } else if (status == HIL_OK && kind == HIL_REHEARSE) {
        HOLDS(ask->size == sizeof step + ask->payload[5] * sizeof(uint16_t));
        for (size_t i = sizeof step; i < ask->size; i += sizeof(uint16_t)) {
            const uint32_t slot = ask->payload[i] | ask->payload[i + 1] << 8;

            HOLDS(slot < HIL_REHEARSAL && kept.filled[slot]);
        }
    }
    HOLDS(memcmp(&kept, &hil_learner.rehearsal, sizeof kept) == 0);
#else
    (void)ask;
    HOLDS(status != HIL_OK || ask->header.kind != HIL_REHEARSE);
#endif
}

/* One frame alone: a sample grows by what a PART has brought, where it belongs, and by
 * nothing else; what is learned or inferred is all there. */
static void check_parts(const struct frame *ask, uint8_t status)
{
#ifdef HIL_CHUNK
    struct hil_parts parts = before.learner.parts;
    static uint8_t sample[SAMPLE_BYTES];
    const uint8_t kind = ask->header.kind;

    memcpy(sample, before.learner.sample, SAMPLE_BYTES);
    if (status == HIL_OK && kind == HIL_PART) {
        const uint32_t step = independent_le32(ask->payload);
        const uint32_t offset = independent_le32(ask->payload + 4);
        const uint32_t end = offset + (uint32_t)(ask->size - sizeof(struct hil_part));

        HOLDS(end > offset && end - offset <= HIL_CHUNK && end <= SAMPLE_BYTES);
        HOLDS(step == HIL_NEVER || step == before.learner.net.step);
        if (offset == 0 && parts.began != ask->header.seq) {
            parts = (struct hil_parts){ .step = step, .began = ask->header.seq };
        }
        HOLDS(parts.step == step && parts.there >= offset);
        memcpy(sample + offset, ask->payload + sizeof(struct hil_part), end - offset);
        parts.there = parts.there < end ? end : parts.there;
    } else if (status == HIL_OK && (kind == HIL_STEP || kind == HIL_INFER)) {
        HOLDS(parts.there == SAMPLE_BYTES);
        HOLDS(parts.step == (kind == HIL_STEP ? before.learner.net.step : HIL_NEVER));
    } else if (kind == HIL_INIT || kind == HIL_HELLO) {
        return; /* after them the marks tell */
    }
    HOLDS(parts.step == hil_learner.parts.step && parts.there == hil_learner.parts.there);
    HOLDS(memcmp(sample, hil_learner.sample, SAMPLE_BYTES) == 0);
#else
    HOLDS(status != HIL_OK || ask->header.kind != HIL_PART);
#endif
}

/* What comes is judged by what there is now. */
static void remember(void)
{
    memcpy(&before.learner, &hil_learner, sizeof hil_learner);
    before.boot = session.boot;
    before.telemetry = session.telemetry;
}

/* Nothing has changed since the last good frame. */
static void check_rest(void)
{
    HOLDS(memcmp(&before.learner.net, &hil_learner.net, sizeof hil_learner.net) == 0);
    HOLDS(rest_is_same());
}

/* All that the last bytes have led to. `over`: the firmware has ended, so what
 * came behind the message that did it is not answered. */
static void check(bool over)
{
    static struct frame told;

    HOLDS(over || session.decoder.damaged == model.damaged);
    if (model.count == 0) { /* without a good frame nothing at all happens */
        HOLDS(model.out_size == 0);
        return;
    }
    net_t old = settled(&before.learner.net), new = settled(&hil_learner.net);
    bool may_change = false, may_change_rest = false;
    size_t at = 0, answered = 0;
    bool more = next_told(&at, &told);

    for (size_t i = 0; i < model.count; i++) {
        const struct frame *const ask = &model.asked[i];
        const uint8_t kind = ask->header.kind;

        if ((kind & HIL_REPLY) || (kind != HIL_HELLO && ask->header.boot == 0)) {
            continue; /* nobody's request */
        }
        follow_marks(ask);
        if (comes_late(ask)) {
            continue;
        }
        while (more && !(told.header.kind & HIL_REPLY)) {
            check_unsolicited(&told);
            more = next_told(&at, &told);
        }
        if (over && !more) {
            break;
        }
        HOLDS(more);
        check_reply(ask, &told);
        mark(ask, &told);
        check_given(ask, &told);
        const uint8_t status = told.header.status;
        may_change |= !harmless(kind) && (status == HIL_OK || status == HIL_FAULTED);
        may_change_rest |= !only_words(kind) && !refused(status);
        if (model.count == 1) {
            check_effect(ask, &told, &old, &new);
            check_rehearsal(ask, status);
            check_parts(ask, status);
        }
        answered++;
        more = next_told(&at, &told);
    }
    while (more) {
        HOLDS(answered > 0); /* silence while nobody asks */
        check_unsolicited(&told);
        more = next_told(&at, &told);
    }
    HOLDS(may_change || same_state(&old, &new));
    HOLDS(may_change || net_digest(&old) == net_digest(&new));
    /* the marks are the model's, whatever else may have changed */
    const struct hil_order *const order = &hil_learner.order;
    HOLDS(order->init == model.init && order->write == model.write &&
          order->step == model.step);
    before.learner.order = *order;
#ifdef HIL_CHUNK
    HOLDS(hil_learner.parts.began == model.part);
    before.learner.parts.began = model.part;
#endif
    HOLDS(may_change_rest || rest_is_same());
    model.count = model.out_size = 0;
    remember();
}

/* -- the line to the firmware ---------------------------------------------- */

/* The model receives a byte. */
static void receive(uint8_t byte)
{
    static uint8_t body[PIECE];

    if (byte != 0) {
        if (model.piece_size < PIECE) {
            model.piece[model.piece_size++] = byte;
        }
        return;
    }
    /* a piece that is too long stays too long when its end is not kept */
    const long size =
        independent_decode(model.piece, model.piece_size, BODY + CRC_SIZE, body);
    model.piece_size = 0;
    model.damaged += size == NO_FRAME;
    if (size > 0) {
        struct frame *const frame = &model.asked[model.count++];
        HOLDS(model.count <= ASKED);
        memcpy(&frame->header, body, HIL_HEADER_BYTES);
        frame->size = (size_t)size - HIL_HEADER_BYTES;
        memcpy(frame->payload, body + HIL_HEADER_BYTES, frame->size);
    }
}

static void put_on_line(const uint8_t *data, size_t size)
{
    HOLDS(size <= LINE - model.end);
    memcpy(model.line + model.end, data, size);
    model.end += size;
}

/* A whole number, rather small, rather near a border, or any. */
static uint64_t some_number(uint8_t how, size_t size)
{
    static const uint64_t special[] = {
        ~0ull, ~0ull - 1, 1ull << 31, 1ull << 30, 1 << 15, 1 << 8, HIL_MAX_PAYLOAD / 4,
    };
    uint64_t value = 0;

    if (how < 0xe0) {
        return how;
    }
    if ((how & 7) < 7) {
        return special[how & 7];
    }
    take_bytes(&model.in, (uint8_t *)&value, size < sizeof value ? size : sizeof value);
    return value;
}

static float some_float(uint8_t how)
{
    static const float special[] = {
        INFINITY, -INFINITY, NAN, -0.0f, 3e38f, -3e38f, 1e-45f,
    };
    float value;

    if (how < 0xf0) {
        return (float)how / 64.0f;
    }
    if ((how & 7) < 7) {
        return special[how & 7];
    }
    take_bytes(&model.in, (uint8_t *)&value, sizeof value);
    return value;
}

static void put_field(const struct field *field, uint8_t *to)
{
    uint8_t how = take(&model.in);
    uint64_t whole;
    float real;

    switch (field->form) {
    case A_REAL:
        real = some_float(how);
        memcpy(to, &real, sizeof real);
        break;
    case A_STEP: /* mostly the next, or one not far from it */
        whole = how < 0xe0 ? hil_learner.net.step + (uint64_t)(int8_t)(how << 1) / 2
                           : some_number(how, field->size);
        memcpy(to, &whole, field->size);
        break;
    case A_NUMBER:
        whole = some_number(how, field->size);
        memcpy(to, &whole, field->size);
        break;
    default:
        take_bytes(&model.in, to, field->size);
    }
}

/* A tail of one word over and over: labels, places and numbers at a border. */
static void fill(uint8_t *to, size_t size, uint8_t which)
{
    static const uint32_t words[8] = {
        0,            ~0u,        NET_OUTPUTS, NET_OUTPUTS - 1u, HIL_RESIDENT,
        HIL_RESIDENT - 1u, 0x7f800000, 0x3f800000,
    };

    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(words[which & 7] >> (8 * (i & 3)));
    }
}

enum {
    ANY_KIND = 1,
    ANY_BOOT = 2,
    MORE_TAIL = 4,
    TWICE = 8,
    DAMAGED = 16,
    CUT = 32,
    NO_DELIMITER = 64,
};

/* One message, from the declaration; what is asked for behind `how` decides. */
static void put_message(uint8_t which)
{
    const struct message *const message = &messages[which % REQUESTS];
    static const size_t units[] = { 1, 4, SAMPLE_BYTES, TAUGHT_BYTES };
    const uint8_t how = take(&model.in);
    const uint8_t age = take(&model.in); /* mostly the next number */
    model.seq++;
    struct hil_header header = {
        message->kind, 0, age < 0xe0 ? model.seq : (uint16_t)(model.seq - (age & 31) * 7),
        model.boot,
    };
    static uint8_t body[BODY + LONGEST_TAIL + CRC_SIZE], frame[ON_LINE(sizeof body)];
    size_t size = HIL_HEADER_BYTES;

    if (message->kind == HIL_HELLO && model.boot == 0) {
        header.boot = NONCE;
    }
    if (how & ANY_KIND) {
        header.kind = take(&model.in);
    }
    if (how & ANY_BOOT) {
        const uint8_t other = take(&model.in);
        header.boot = other == 0 ? 0 : header.boot ^ other;
        header.status = (uint8_t)header.boot;
    }
    memcpy(body, &header, HIL_HEADER_BYTES);
    for (size_t i = 0; i < message->count; i++) {
        put_field(&message->fields[i], body + size);
        size += message->fields[i].size;
    }
    if (message->tail || (how & MORE_TAIL)) {
        const uint8_t unit = take(&model.in), count = take(&model.in);
        size_t tail = units[unit & 3] * count + (unit >> 6 == 3);

        tail = tail < LONGEST_TAIL ? tail : LONGEST_TAIL;
        if (unit & 4) {
            fill(body + size, tail, unit >> 3);
        } else {
            take_bytes(&model.in, body + size, tail);
        }
        size += tail;
    }
    const size_t length = independent_encode(body, size, frame);

    if (how & DAMAGED) {
        const uint8_t place = take(&model.in);
        frame[place % length] ^= take(&model.in);
    }
    const size_t skipped = how & NO_DELIMITER ? 1 : 0;
    size_t sent = length - skipped;
    if (how & CUT) {
        sent -= take(&model.in) % sent;
    }
    put_on_line(frame + skipped, sent);
    if (how & TWICE) {
        put_on_line(frame + skipped, sent);
    }
}

static void put_piece(void)
{
    const uint8_t how = take(&model.in);
    uint8_t bytes[255];

    model.at = model.end = 0;
    if (how < 0x20) {
        const size_t count = take(&model.in);
        take_bytes(&model.in, bytes, count);
        put_on_line(bytes, count);
    } else if (how < 0x30) {
        model.stride = 1 + take(&model.in) % 64;
    } else {
        put_message(how);
    }
}

static void put_request(uint8_t kind, const void *payload, size_t size)
{
    const struct hil_header header = { kind, 0, ++model.seq, NONCE };
    uint8_t body[HIL_HEADER_BYTES + 64], frame[ON_LINE(sizeof body)];

    memcpy(body, &header, HIL_HEADER_BYTES);
    memcpy(body + HIL_HEADER_BYTES, payload, size);
    put_on_line(frame, independent_encode(body, HIL_HEADER_BYTES + size, frame));
}

size_t hil_port_read(uint8_t *data, size_t size)
{
    check(false);
    if (model.at == model.end) {
        if (model.in.size == 0) {
            check_rest();
            longjmp(model.over, 1);
        }
        put_piece();
    }
    size_t count = model.end - model.at;
    count = count < size ? count : size;
    count = count < model.stride ? count : model.stride;
    memcpy(data, model.line + model.at, count);
    model.at += count;
    for (size_t i = 0; i < count; i++) {
        receive(data[i]);
    }
    if (model.count > 0) {
        check_rest();
    }
    return count;
}

void hil_port_wait(void)
{
}

/* A board resets then, and forgets everything; the line goes on. */
static void reset(void)
{
    memset(&session, 0, sizeof session);
    memset(&hil_learner, 0, sizeof hil_learner);
    model.piece_size = model.count = model.out_size = 0;
    model.damaged = model.boot = 0;
    model.init = model.write = model.step = model.part = 0;
    model.given_count = 0;
    hil_learner_begin(); /* as hil_runtime_serve does */
    remember();
}

_Noreturn void hil_port_exit(uint32_t code)
{
    (void)code;
    check(true);
    reset();
    longjmp(model.over, 2);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char name[] = "fuzz", flag[] = "--fd", line[] = "0", file[] = "--flash";
    static char path[32];
    static char *port_argv[] = { name, flag, line, file, path, NULL };

    (void)argc, (void)argv;
    model.flash = memfd_create("flash", 0);
    HOLDS(model.flash >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", model.flash);
    hil_port_init(5, port_argv);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    model.in = (struct input){ data, size };
    model.at = model.end = 0;
    model.stride = 64;
    model.seq = 0;
    HOLDS(ftruncate(model.flash, 0) == 0);
    HOLDS(ftruncate(model.flash, HIL_FLASH_BYTES) == 0);
    reset();
    if (take(&model.in) & 1) {
        const struct hil_init init = { 1, 0, 0, 1 };
        put_request(HIL_HELLO, "\1\1", sizeof(struct hil_hello));
        put_request(HIL_INIT, &init, sizeof init);
    }
    if (setjmp(model.over) != 1) {
        hil_runtime_serve();
    }
    return 0;
}
