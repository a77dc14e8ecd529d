#include "hil_runtime.h"

#include <stdbool.h>

#include "hil_build.h"
#include "hil_config.h"
#include "hil_frame.h"
#include "hil_memory.h"
#include "hil_port.h"

#define HEADER sizeof(struct hil_header)

_Static_assert(sizeof(struct hil_hello_reply) <= HIL_MAX_PAYLOAD,
               "HELLO's reply does not fit a frame");

#if HIL_NETWORK
#include "hil_store.h"
#include "net.h"

#define SAMPLE_BYTES (sizeof(net_sample_t) * NET_INPUTS)
#define LABELLED_BYTES (sizeof(uint16_t) + SAMPLE_BYTES)
#define OUTPUT_BYTES (sizeof(float) * NET_OUTPUTS)
#define TOLD_BYTES (sizeof(float) + sizeof(uint32_t) + OUTPUT_BYTES)
#define TOLD_WORDS (TOLD_BYTES / sizeof(uint32_t))
#define RESULT_BYTES (TOLD_BYTES + NET_SIGNALS * sizeof(uint32_t))

/* The plan has counted these buffers; here the compiler counts them again. */
_Static_assert(sizeof(struct hil_step) + HIL_SAMPLES * LABELLED_BYTES <= HIL_MAX_PAYLOAD,
               "a STEP does not fit a frame");
_Static_assert(sizeof(struct hil_step_reply) + HIL_SAMPLES * RESULT_BYTES <= HIL_STEP_REPLY,
               "a STEP's reply does not fit where it is kept");

#if HIL_RESIDENT
_Static_assert(sizeof(struct hil_step_resident) + HIL_THIN * sizeof(uint32_t) <=
                   HIL_MAX_PAYLOAD,
               "a STEP_RESIDENT does not fit a frame");
_Static_assert(sizeof(struct hil_step_resident_reply) + RESULT_BYTES <= HIL_STEP_REPLY,
               "a STEP_RESIDENT's reply does not fit where it is kept");

/* The resident set, among the constants: image/hil_resident.S. */
extern const net_sample_t hil_resident_samples[HIL_RESIDENT][NET_INPUTS];
extern const uint16_t hil_resident_labels[HIL_RESIDENT];
#endif

#if HIL_REHEARSAL
_Static_assert(sizeof(struct hil_rehearse) + HIL_SAMPLES * sizeof(uint16_t) <= HIL_MAX_PAYLOAD,
               "a REHEARSE does not fit a frame");
_Static_assert(sizeof(struct hil_rehearse) == sizeof(struct hil_step) &&
                   sizeof(struct hil_rehearse_reply) == sizeof(struct hil_step_reply),
               "a REHEARSE is not read and answered as a STEP");

#define EMPTY 0xffffu /* label of a slot without a sample: no output has it */

/* Samples that were learned from and are kept, to be learned from again. */
struct rehearsal {
    net_sample_t sample[HIL_REHEARSAL][NET_INPUTS];
    uint16_t label[HIL_REHEARSAL];
};
#endif

/* A reply that is kept so that steps asked for twice are learned once. */
struct kept_reply {
    uint32_t step;  /* first step it answers */
    uint16_t count; /* samples it answers, 0 when empty */
    uint8_t kind;   /* of the request it answers */
    uint32_t size;  /* of the body */
    uint8_t body[HEADER + HIL_STEP_REPLY + HIL_CRC_BYTES];
};

/* Sequence numbers of the latest frames that did something, by what they did. A
 * line that lets frames pass each other may bring an INIT or a WRITE once more
 * after what was built on it: what is older is not done again. */
struct order {
    uint16_t init, write, step;
};
#endif

/* All zero until hil_runtime_serve: an initialised member would put the whole
 * network into .data, and so into flash a second time. */
static struct {
#if HIL_NETWORK
    _Alignas(16) net_t net; /* its step is the next, HIL_NEVER before INIT */
    net_sample_t sample[NET_INPUTS]; /* aligned copy of the one in the frame */
#if HIL_REHEARSAL
    struct rehearsal rehearsal;
#endif
    bool ready;                      /* INIT has been done */
    bool faulted;                    /* a step was refused: only INIT helps */
#endif
    /* the host's nonce, 0 before HELLO; aligned as codegen/layout.py's ROUND says */
    _Alignas(HIL_NETWORK ? _Alignof(uint32_t) : 16) uint32_t boot;
    uint32_t telemetry; /* telemetry frames sent since HELLO */
#if HIL_NETWORK
    uint64_t instructions, cycles; /* of the last STEP */
    struct order order;
    struct hil_store store;
    uint32_t committed; /* step of the newest checkpoint, if it is of this network */
    uint32_t run;       /* number of the run that is learning */
    uint32_t next_kept;
    struct kept_reply kept[HIL_WINDOW];
#endif
    struct hil_decoder decoder;
    uint8_t request[HEADER + HIL_MAX_PAYLOAD + HIL_CRC_BYTES];
    uint8_t reply[HEADER + HIL_MAX_PAYLOAD + HIL_CRC_BYTES];
} rt;

#if HIL_NETWORK
_Static_assert(sizeof(net_t) == HIL_NET_BYTES, "codegen/layout.py has counted another net_t");
#endif
_Static_assert(sizeof rt == HIL_RUNTIME_BYTES, "codegen/layout.py has counted another rt");

#if HIL_NETWORK
#if NET_SIGNALS
/* What a budget is held in. */
uint64_t net_counter(void)
{
#ifdef NET_COUNTS_CYCLES
    return hil_port_cycles();
#else
    return hil_port_instructions();
#endif
}
#endif

/* Step in hand, HIL_NEVER outside one. A trap may ask at any moment. */
static uint32_t learning = HIL_NEVER;
#endif

static void put_header(uint8_t *body, uint8_t kind, uint8_t status, uint16_t seq)
{
    const struct hil_header header = { kind, status, seq, rt.boot };
    memcpy(body, &header, sizeof header);
}

/* Send the first `payload` bytes of rt.reply's payload as the reply. */
static void answer(const struct hil_header *to, enum hil_status status, size_t payload)
{
    put_header(rt.reply, to->kind | HIL_REPLY, (uint8_t)status, to->seq);
    hil_frame_send(rt.reply, HEADER + payload);
}

static void refuse(const struct hil_header *to, enum hil_status status)
{
    answer(to, status, 0);
}

void hil_runtime_fault(uint32_t cause, uint64_t pc, uint64_t address)
{
#if HIL_NETWORK
    const uint32_t step = learning;
#else
    const uint32_t step = HIL_NEVER;
#endif
    const struct hil_fault fault = { cause, step, pc, address };
    uint8_t body[HEADER + sizeof fault + HIL_CRC_BYTES];

    put_header(body, HIL_FAULT, HIL_FAULTED, 0);
    memcpy(body + HEADER, &fault, sizeof fault);
    hil_frame_send(body, HEADER + sizeof fault);
}

/* The next step; where there is no network, none ever is. */
static uint32_t next_step(void)
{
#if HIL_NETWORK
    return rt.net.step;
#else
    return HIL_NEVER;
#endif
}

/* How the device is: PING's reply. */
static struct hil_ping_reply condition(void)
{
    return (struct hil_ping_reply){
        .number = rt.telemetry,
        .step = next_step(),
#if HIL_NETWORK
        .instructions = rt.instructions,
        .cycles = rt.cycles,
#endif
        .damaged = rt.decoder.damaged,
        .overruns = hil_port_overruns(),
        .stack = hil_port_stack(),
#if HIL_NETWORK && NET_GATED
        .threshold = rt.net.threshold,
#endif
    };
}

#if HIL_NETWORK

/* The same, of the device's own accord. */
static void send_telemetry(void)
{
    const struct hil_ping_reply telemetry = condition();
    uint8_t body[HEADER + sizeof telemetry + HIL_CRC_BYTES];

    rt.telemetry++;
    put_header(body, HIL_TELEMETRY, HIL_OK, 0);
    memcpy(body + HEADER, &telemetry, sizeof telemetry);
    hil_frame_send(body, HEADER + sizeof telemetry);
}

static void forget_replies(void)
{
    for (size_t i = 0; i < HIL_WINDOW; i++) {
        rt.kept[i].count = 0;
    }
}

/* Whether a frame was sent before another. Numbers wrap, so half of them are
 * before. */
static bool sent_before(uint16_t seq, uint16_t other)
{
    return (int16_t)(seq - other) < 0;
}

/* Keep a mark within a quarter of all numbers of a frame that is newer, so that it
 * never seems to be ahead. */
static void follow(uint16_t *mark, uint16_t seq)
{
    const uint16_t behind = seq - *mark;

    if (behind > 0x4000 && behind < 0x8000) {
        *mark = seq - 0x4000;
    }
}

/* Where the reply to steps that come next will be kept; empty until then. */
static struct kept_reply *next_reply(void)
{
    struct kept_reply *const keep = &rt.kept[rt.next_kept];

    keep->count = 0;
    rt.instructions = rt.cycles = 0;
    return keep;
}

/* The steps from `step` are learned: keep and send the reply, whose payload of
 * `size` bytes is in place. */
static void conclude_steps(const struct hil_header *header, struct kept_reply *keep,
                           uint32_t step, uint16_t count, uint8_t flags, size_t size)
{
    learning = HIL_NEVER;
    rt.order.step = header->seq;
    rt.next_kept = (rt.next_kept + 1) % HIL_WINDOW;
    keep->kind = header->kind;
    keep->step = step;
    keep->count = count;
    keep->size = (uint32_t)(HEADER + size);
    put_header(keep->body, header->kind | HIL_REPLY, HIL_OK, header->seq);
    hil_frame_send(keep->body, keep->size);
    if (flags & HIL_STEP_TELEMETRY) {
        send_telemetry();
    }
}

/* The reply that was given to a request for these steps, NULL: none is kept. */
static struct kept_reply *kept_for(uint8_t kind, uint32_t step, uint16_t count)
{
    for (size_t i = 0; i < HIL_WINDOW; i++) {
        struct kept_reply *const kept = &rt.kept[i];

        if (kept->kind == kind && kept->step == step && kept->count == count) {
            return kept;
        }
    }
    return NULL;
}

/* Steps that are not the next: their kept reply (to at least one), or where the
 * device is. */
static void answer_other_steps(const struct hil_header *header, uint32_t step,
                               uint16_t count)
{
    struct kept_reply *const kept = kept_for(header->kind, step, count);

    if (kept != NULL) {
        put_header(kept->body, header->kind | HIL_REPLY, HIL_REPLAYED, header->seq);
        hil_frame_send(kept->body, kept->size);
        return;
    }
    const struct hil_out_of_step reply = { rt.net.step };
    memcpy(rt.reply + HEADER, &reply, sizeof reply);
    answer(header, HIL_OUT_OF_STEP, sizeof reply);
}

/* Whether steps can be learned at all; answers where not. Steps that were sent
 * before an INIT are not those that it made way for. */
static bool ready_to_learn(const struct hil_header *header)
{
    if (sent_before(header->seq, rt.order.init)) {
        return false;
    }
    if (!rt.ready || rt.faulted) {
        refuse(header, rt.ready ? HIL_FAULTED : HIL_NOT_READY);
        return false;
    }
    return true;
}

/* Set every weight from `seed`. Where float is not what the network needs, a FAULT
 * tells how, and nothing is learned. */
static enum hil_status draw_weights(uint32_t seed)
{
    const int status = net_init(&rt.net, seed);

    rt.ready = status == NET_OK;
    if (rt.ready) {
        return HIL_OK;
    }
    rt.net.step = HIL_NEVER;
    hil_runtime_fault(HIL_CAUSE_ARITHMETIC, 0, (uint32_t)-status);
    return HIL_FAULTED;
}

#if HIL_SLOTS
#define STATE_BYTES sizeof rt.net.state

static const uint8_t identity[] = HIL_IDENTITY;

static bool of_this_network(const struct hil_checkpoint *entry)
{
    for (size_t i = 0; i < sizeof identity; i++) {
        if ((uint8_t)entry->identity[i] != identity[i]) {
            return false;
        }
    }
    return entry->version == HIL_CHECKPOINT_VERSION && entry->size == STATE_BYTES;
}

/* What the flash holds, after a reset. */
static void open_store(void)
{
    struct hil_checkpoint newest;

    hil_store_open(&rt.store);
    rt.committed = HIL_NEVER;
    if (hil_store_find(&rt.store, 0, HIL_NEVER, &newest) && of_this_network(&newest)) {
        rt.committed = newest.step;
    }
}

/* Take state, step and run from a checkpoint, or leave all as it is. */
static enum hil_status resume(struct hil_init *init)
{
    struct hil_store store = rt.store;
    struct hil_checkpoint entry;

    if (!hil_store_find(&store, init->run, init->step, &entry)) {
        return HIL_NO_CHECKPOINT;
    }
    if (!of_this_network(&entry) || entry.seed != init->seed) {
        return HIL_OTHER_CHECKPOINT;
    }
    const enum hil_status status = draw_weights(entry.seed);
    if (status != HIL_OK) {
        return status;
    }
    rt.store = store;
    rt.ready = hil_store_load(&store, &rt.net.state, STATE_BYTES);
    init->step = entry.step;
    init->run = entry.run;
    return rt.ready ? HIL_OK : HIL_NO_STORAGE;
}

/* The steps before ask->step are to be kept: write what they led to, unless that
 * was done before. */
static void on_commit(const struct hil_header *header, const uint8_t *payload,
                      size_t size)
{
    struct hil_commit ask;

    if (size != sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    if (!ready_to_learn(header)) {
        return;
    }
    if (ask.step != rt.net.step || kept_for(header->kind, ask.step, 1) != NULL) {
        answer_other_steps(header, ask.step, 1);
        return;
    }
    struct hil_checkpoint entry = {
        .run = rt.run,
        .step = rt.net.step,
        .seed = rt.net.seed,
        .digest = net_digest(&rt.net), /* applies what is pending, too */
        .size = STATE_BYTES,
    };
    memcpy(entry.identity, identity, sizeof identity);
    if (!hil_store_write(&rt.store, &entry, &rt.net.state)) {
        refuse(header, HIL_NO_STORAGE);
        return;
    }
    rt.committed = entry.step;

    struct kept_reply *const keep = next_reply();
    const struct hil_commit_reply reply = { entry.step, entry.digest, entry.sequence };
    memcpy(keep->body + HEADER, &reply, sizeof reply);
    conclude_steps(header, keep, entry.step, 1, 0, sizeof reply);
}
#endif

#if HIL_REHEARSAL
static void forget_samples(void)
{
    for (size_t i = 0; i < HIL_REHEARSAL; i++) {
        rt.rehearsal.label[i] = EMPTY;
    }
}
#endif

static void on_init(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_init init;
    enum hil_status status = HIL_OK;

    if (size != sizeof init) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&init, payload, sizeof init);
    if (sent_before(header->seq, rt.order.init) || sent_before(header->seq, rt.order.write) ||
        sent_before(header->seq, rt.order.step)) {
        return;
    }
    if (init.flags & HIL_INIT_RESUME) {
#if HIL_SLOTS
        status = resume(&init);
#else
        status = HIL_NO_STORAGE;
#endif
    } else if (!(init.flags & HIL_INIT_KEEP_STATE)) {
        status = draw_weights(init.seed);
    } else if (!rt.ready) {
        status = HIL_NOT_READY;
    }
    if (status != HIL_OK) {
        refuse(header, status);
        return;
    }
    rt.order.init = header->seq;
    rt.ready = true;
    rt.faulted = false;
    rt.net.step = init.step;
    rt.run = init.run;
    forget_replies();
#if HIL_REHEARSAL
    forget_samples();
#endif

    const struct hil_init_reply reply = { rt.net.step, net_digest(&rt.net), rt.run };
    memcpy(rt.reply + HEADER, &reply, sizeof reply);
    answer(header, HIL_OK, sizeof reply);
}

/* Whether STEP's samples are all there and all have a possible label. */
static bool good_samples(const struct hil_step *ask, const uint8_t *samples, size_t size)
{
    if (ask->count < 1 || ask->count > HIL_SAMPLES ||
        size != (size_t)ask->count * LABELLED_BYTES) {
        return false;
    }
    for (size_t i = 0; i < ask->count; i++) {
        uint16_t label;
        memcpy(&label, samples + i * LABELLED_BYTES, sizeof label);
        if (label >= NET_OUTPUTS) {
            return false;
        }
    }
    return true;
}

/* net_step, its instructions and cycles added up; with `alone` no interrupt is among them. */
static int counted_step(const net_sample_t *sample, uint32_t label, float eta, bool alone,
                        float *loss)
{
    if (alone) {
        hil_port_mask_interrupts(true);
    }
    const uint64_t began = hil_port_cycles();
    const uint64_t before = hil_port_instructions();
    const int status = net_step(&rt.net, sample, label, eta, loss);
    rt.instructions += hil_port_instructions() - before;
    rt.cycles += hil_port_cycles() - began;
    if (alone) {
        hil_port_mask_interrupts(false);
    }
    return status;
}

/* Learn from one sample and write what it tells, without a digest; returns
 * net_step's status. */
static int learn(const net_sample_t *sample, uint32_t label, float eta, uint32_t flags,
                 uint8_t *result)
{
    float loss;

    learning = rt.net.step;
    hil_port_watchdog(true);
    const int status = counted_step(sample, label, eta, flags & HIL_STEP_ALONE, &loss);
    hil_port_watchdog(false);
    if (status != NET_OK) {
        return status;
    }
    memcpy(result, &loss, sizeof loss);
    memset(result + 4, 0, sizeof(uint32_t));
    memcpy(result + 8, net_outputs(&rt.net), OUTPUT_BYTES);
#if NET_SIGNALS
    memcpy(result + TOLD_BYTES, &rt.net.signal, sizeof rt.net.signal);
#endif
    return NET_OK;
}

/* Put the state's digest into a result. An update that a fused step has left for the
 * next step is applied first. Its instructions count as this step's; noinline makes
 * their number the same for every caller. */
__attribute__((noinline)) static void add_digest(uint8_t *result, uint32_t flags)
{
    hil_port_watchdog(true);
#if NET_PENDING
    hil_port_mask_interrupts(flags & HIL_STEP_ALONE);
    const uint64_t began = hil_port_cycles();
    const uint64_t before = hil_port_instructions();
    net_flush(&rt.net);
    rt.instructions += hil_port_instructions() - before;
    rt.cycles += hil_port_cycles() - began;
    hil_port_mask_interrupts(false);
#else
    (void)flags;
#endif
    const uint32_t digest = net_digest(&rt.net);
    hil_port_watchdog(false);

    memcpy(result + 4, &digest, sizeof digest);
}

/* A sample has led to an infinity or a NaN: say where, and learn no more. */
static void stop_learning(const struct hil_header *header, int status)
{
    rt.faulted = true;
    hil_runtime_fault(HIL_CAUSE_NON_FINITE, 0, NET_CULPRIT(status));
    learning = HIL_NEVER;
    refuse(header, HIL_FAULTED);
}

/* Learn from sample number i of a frame and write all that it tells, its result
 * among the others of a reply; returns net_step's status. */
static int learn_and_tell(const net_sample_t *sample, uint32_t label,
                          const struct hil_step *ask, struct kept_reply *keep, size_t i)
{
    uint8_t *const result =
        keep->body + HEADER + sizeof(struct hil_step_reply) + i * RESULT_BYTES;
    const int status = learn(sample, label, ask->eta, ask->flags, result);

    if (status == NET_OK && (ask->flags & HIL_STEP_DIGEST)) {
        add_digest(result, ask->flags);
    }
    return status;
}

/* All samples of a frame were learned from. */
static void conclude_samples(const struct hil_header *header, const struct hil_step *ask,
                             struct kept_reply *keep)
{
    const struct hil_step_reply reply = { ask->step, ask->flags, ask->count, 0 };

    memcpy(keep->body + HEADER, &reply, sizeof reply);
    conclude_steps(header, keep, ask->step, ask->count, ask->flags,
                   sizeof reply + ask->count * RESULT_BYTES);
}

static void learn_sent(const struct hil_header *header, const struct hil_step *ask,
                       const uint8_t *samples)
{
    struct kept_reply *const keep = next_reply();
    uint16_t label = 0;

    for (size_t i = 0; i < ask->count; i++) {
        memcpy(&label, samples, sizeof label);
        memcpy(rt.sample, samples + sizeof label, SAMPLE_BYTES);
        const int status = learn_and_tell(rt.sample, label, ask, keep, i);
        if (status != NET_OK) {
            stop_learning(header, status);
            return;
        }
        samples += LABELLED_BYTES;
    }
#if HIL_REHEARSAL
    if (ask->flags & HIL_STEP_KEEP) {
        memcpy(rt.rehearsal.sample[ask->slot], rt.sample, SAMPLE_BYTES);
        rt.rehearsal.label[ask->slot] = label;
    }
#endif
    conclude_samples(header, ask, keep);
}

/* Whether there is room for the sample of a frame that is to be kept. */
static bool has_slot(const struct hil_step *ask)
{
#if HIL_REHEARSAL
    return ask->slot < HIL_REHEARSAL;
#else
    (void)ask;
    return false;
#endif
}

static void on_step(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_step ask;

    if (size < sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    if (!ready_to_learn(header)) {
        return;
    }
    if (!__builtin_isfinite(ask.eta) ||
        !good_samples(&ask, payload + sizeof ask, size - sizeof ask) ||
        ((ask.flags & HIL_STEP_KEEP) && ask.count != 1)) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    if ((ask.flags & HIL_STEP_KEEP) && !has_slot(&ask)) {
        refuse(header, HIL_OUT_OF_BOUNDS);
        return;
    }
    if (ask.step == rt.net.step) {
        learn_sent(header, &ask, payload + sizeof ask);
    } else {
        answer_other_steps(header, ask.step, ask.count);
    }
}

#if HIL_RESIDENT

/* The sample of step number i of these: listed, or the i-th of the range. */
static uint32_t resident_place(const struct hil_step_resident *ask, const uint8_t *list,
                               size_t i)
{
    uint32_t place = ask->first + (uint32_t)i;

    if (list != NULL) {
        memcpy(&place, list + i * sizeof place, sizeof place);
    }
    return place;
}

/* Whether every sample of these steps is in the resident set. */
static bool all_resident(const struct hil_step_resident *ask, const uint8_t *list)
{
    if (list == NULL) {
        return ask->first < HIL_RESIDENT && ask->count <= HIL_RESIDENT - ask->first;
    }
    for (size_t i = 0; i < ask->count; i++) {
        if (resident_place(ask, list, i) >= HIL_RESIDENT) {
            return false;
        }
    }
    return true;
}

/* Whether the largest output, the first of equals, is the label's. */
static bool predicted(uint32_t label)
{
    const float *const p = net_outputs(&rt.net);

    for (uint32_t j = 0; j < NET_OUTPUTS; j++) {
        if (p[j] > p[label] || (j < label && p[j] == p[label])) {
            return false;
        }
    }
    return true;
}

/* Every result is folded into one word; that of the last step stays. */
static void learn_resident(const struct hil_header *header,
                           const struct hil_step_resident *ask, const uint8_t *list)
{
    struct kept_reply *const keep = next_reply();
    struct hil_step_resident_reply reply = {
        .step = ask->step,
        .flags = ask->flags,
        .count = ask->count,
    };
    uint8_t *const result = keep->body + HEADER + sizeof reply;

    for (uint32_t i = 0; i < ask->count; i++) {
        const uint32_t place = resident_place(ask, list, i);
        const uint32_t label = hil_resident_labels[place];
        const int status =
            learn(hil_resident_samples[place], label, ask->eta, ask->flags, result);
        if (status != NET_OK) {
            stop_learning(header, status);
            return;
        }
        const bool last = i + 1 == ask->count;
        if ((ask->digest_every != 0 && rt.net.step % ask->digest_every == 0) ||
            (last && (ask->flags & HIL_STEP_DIGEST))) {
            add_digest(result, ask->flags);
        }
        reply.right += predicted(label);
        reply.fold += net_fold((const void *)result, TOLD_WORDS, i * TOLD_WORDS);
    }
    memcpy(keep->body + HEADER, &reply, sizeof reply);
    conclude_steps(header, keep, ask->step, ask->count, ask->flags,
                   sizeof reply + RESULT_BYTES);
}

static void on_step_resident(const struct hil_header *header, const uint8_t *payload,
                             size_t size)
{
    struct hil_step_resident ask;

    if (size < sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    if (!ready_to_learn(header)) {
        return;
    }
    const size_t listed = size - sizeof ask;
    const uint8_t *const list = listed > 0 ? payload + sizeof ask : NULL;
    if (!__builtin_isfinite(ask.eta) || ask.count < 1 || ask.count > HIL_THIN ||
        (list != NULL && listed != ask.count * sizeof(uint32_t))) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    if (!all_resident(&ask, list)) {
        refuse(header, HIL_OUT_OF_BOUNDS);
        return;
    }
    if (ask.step == rt.net.step) {
        learn_resident(header, &ask, list);
    } else {
        answer_other_steps(header, ask.step, ask.count);
    }
}

#endif

#if HIL_REHEARSAL

static uint16_t slot_at(const uint8_t *slots, size_t i)
{
    uint16_t slot;

    memcpy(&slot, slots + i * sizeof slot, sizeof slot);
    return slot;
}

/* Whether each of these slots is one, and, if `filled`, has a sample. */
static bool good_slots(const uint8_t *slots, size_t count, bool filled)
{
    for (size_t i = 0; i < count; i++) {
        const uint16_t slot = slot_at(slots, i);

        if (slot >= HIL_REHEARSAL || (filled && rt.rehearsal.label[slot] == EMPTY)) {
            return false;
        }
    }
    return true;
}

static void learn_again(const struct hil_header *header, const struct hil_step *ask,
                        const uint8_t *slots)
{
    struct kept_reply *const keep = next_reply();

    for (size_t i = 0; i < ask->count; i++) {
        const uint16_t slot = slot_at(slots, i);
        const int status = learn_and_tell(rt.rehearsal.sample[slot],
                                          rt.rehearsal.label[slot], ask, keep, i);
        if (status != NET_OK) {
            stop_learning(header, status);
            return;
        }
    }
    conclude_samples(header, ask, keep);
}

static void on_rehearse(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_step ask; /* a REHEARSE has a STEP's fields, but for its slot */

    if (size < sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    if (!ready_to_learn(header)) {
        return;
    }
    const uint8_t *const slots = payload + sizeof ask;
    if (!__builtin_isfinite(ask.eta) || ask.count < 1 || ask.count > HIL_SAMPLES ||
        size - sizeof ask != ask.count * sizeof(uint16_t) || (ask.flags & HIL_STEP_KEEP)) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    /* what a lost STEP was to keep is missing only for now: that is out of step */
    if (!good_slots(slots, ask.count, ask.step == rt.net.step)) {
        refuse(header, HIL_OUT_OF_BOUNDS);
        return;
    }
    if (ask.step == rt.net.step) {
        learn_again(header, &ask, slots);
    } else {
        answer_other_steps(header, ask.step, ask.count);
    }
}

#endif

static void on_infer(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_infer ask;
    uint8_t *result = rt.reply + HEADER + sizeof(struct hil_infer_reply);

    if (!rt.ready) {
        refuse(header, HIL_NOT_READY);
        return;
    }
    if (size < sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    const size_t most = (HIL_MAX_PAYLOAD - sizeof(struct hil_infer_reply)) / OUTPUT_BYTES;
    if (ask.count < 1 || ask.count > most ||
        size - sizeof ask != ask.count * SAMPLE_BYTES) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    for (size_t i = 0; i < ask.count; i++) {
        memcpy(rt.sample, payload + sizeof ask + i * SAMPLE_BYTES, SAMPLE_BYTES);
        hil_port_watchdog(true);
        const int status = net_infer(&rt.net, rt.sample);
        hil_port_watchdog(false);
        if (status != NET_OK) {
            stop_learning(header, status);
            return;
        }
        memcpy(result, net_outputs(&rt.net), OUTPUT_BYTES);
        result += OUTPUT_BYTES;
    }
    const struct hil_infer_reply reply = { ask.count };
    memcpy(rt.reply + HEADER, &reply, sizeof reply);
    answer(header, HIL_OK, (size_t)(result - rt.reply) - HEADER);
}

/* The words a READ or WRITE speaks of, or NULL when they are not all there. */
static uint8_t *find_words(const struct hil_read *ask)
{
    size_t words = 0;
    uint8_t *const data = net_state(&rt.net, ask->tensor, &words);

    if (data == NULL || ask->offset > words || ask->count > words - ask->offset) {
        return NULL;
    }
    return data + (size_t)ask->offset * 4;
}

static void on_read(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_read ask;

    if (size != sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    const size_t bytes = (size_t)ask.count * 4;
    const uint8_t *const data = find_words(&ask);
    if (data == NULL || bytes > HIL_MAX_PAYLOAD - sizeof ask) {
        refuse(header, HIL_OUT_OF_BOUNDS);
        return;
    }
    memcpy(rt.reply + HEADER, &ask, sizeof ask);
    memcpy(rt.reply + HEADER + sizeof ask, data, bytes);
    answer(header, HIL_OK, sizeof ask + bytes);
}

static void on_write(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_read ask; /* a WRITE names its words as a READ does */

    if (size < sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    if (size - sizeof ask != (size_t)ask.count * 4) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    if (sent_before(header->seq, rt.order.init) || sent_before(header->seq, rt.order.step)) {
        return;
    }
    uint8_t *const data = find_words(&ask);
    if (data == NULL || ask.tensor >= NET_STATE_TENSORS) {
        refuse(header, HIL_OUT_OF_BOUNDS);
        return;
    }
    rt.order.write = header->seq;
    memcpy(data, payload + sizeof ask, (size_t)ask.count * 4);
    memcpy(rt.reply + HEADER, &ask, sizeof ask);
    answer(header, HIL_OK, sizeof ask);
}

static void on_digest(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    const struct hil_digest_reply reply = { rt.net.step, net_digest(&rt.net) };

    (void)payload;
    if (size != 0) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(rt.reply + HEADER, &reply, sizeof reply);
    answer(header, HIL_OK, sizeof reply);
}

/* Of a session that begins with this frame. */
static void begin_session(uint16_t seq)
{
    rt.order = (struct order){ seq, seq, seq };
    forget_replies(); /* they answered another session's steps */
}

static void follow_all(uint16_t seq)
{
    follow(&rt.order.init, seq);
    follow(&rt.order.write, seq);
    follow(&rt.order.step, seq);
}

static uint32_t committed(void)
{
    return rt.committed;
}

static void begin(void)
{
    rt.net.step = HIL_NEVER;
    rt.committed = HIL_NEVER;
#if HIL_SLOTS
    open_store();
#endif
    forget_replies();
}

#else /* no network: no steps, so nothing has an order, and nothing is kept */

static void begin_session(uint16_t seq)
{
    (void)seq;
}

static void follow_all(uint16_t seq)
{
    (void)seq;
}

static uint32_t committed(void)
{
    return HIL_NEVER;
}

static void begin(void)
{
}

#endif

static void on_hello(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_hello_reply reply = {
        .protocol_min = HIL_PROTOCOL_VERSION,
        .protocol_max = HIL_PROTOCOL_VERSION,
        .harts = 1,
        .vlen = HIL_VECTOR ? hil_port_vlen() : 0,
        .max_payload = HIL_MAX_PAYLOAD,
        .window = HIL_WINDOW,
        .step = next_step(),
        .committed_step = committed(),
        .target = HIL_TARGET,
        .isa = HIL_ISA,
    };

    (void)payload;
    if (size != sizeof(struct hil_hello) || header->boot == 0) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    if (rt.boot != header->boot) {
        rt.boot = header->boot;
        rt.telemetry = 0;
        begin_session(header->seq);
    }
    memcpy(reply.digest, hil_build_digest, sizeof reply.digest);
    memcpy(rt.reply + HEADER, &reply, sizeof reply);
    answer(header, HIL_OK, sizeof reply);
}

static void on_ping(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    const struct hil_ping_reply reply = condition();

    (void)payload;
    if (size != 0) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(rt.reply + HEADER, &reply, sizeof reply);
    answer(header, HIL_OK, sizeof reply);
}

static void on_echo(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    memcpy(rt.reply + HEADER, payload, size);
    answer(header, HIL_OK, size);
}

static void on_leave(const struct hil_header *header, const uint8_t *payload, size_t size)
{
    struct hil_leave ask;

    if (size != sizeof ask) {
        refuse(header, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&ask, payload, sizeof ask);
    answer(header, HIL_OK, 0);
    hil_port_exit(ask.code);
}

static void dispatch(const uint8_t *body, size_t size)
{
    static const struct {
        uint8_t kind;
        void (*handle)(const struct hil_header *, const uint8_t *, size_t);
    } handlers[] = {
#if HIL_NETWORK
        { HIL_STEP, on_step },     { HIL_INFER, on_infer }, { HIL_INIT, on_init },
        { HIL_READ, on_read },     { HIL_WRITE, on_write }, { HIL_DIGEST, on_digest },
#endif
        { HIL_HELLO, on_hello },   { HIL_ECHO, on_echo },   { HIL_LEAVE, on_leave },
        { HIL_PING, on_ping },
#if HIL_RESIDENT
        { HIL_STEP_RESIDENT, on_step_resident },
#endif
#if HIL_SLOTS
        { HIL_COMMIT, on_commit },
#endif
#if HIL_REHEARSAL
        { HIL_REHEARSE, on_rehearse },
#endif
    };
    struct hil_header header;

    memcpy(&header, body, sizeof header);
    if (header.kind & HIL_REPLY) {
        return; /* an echo on the line: to answer an answer would never end */
    }
    if (header.kind != HIL_HELLO) {
        if (header.boot == 0) {
            return; /* no session speaks, so silence is the answer */
        }
        if (header.boot != rt.boot) {
            refuse(&header, HIL_STALE_BOOT); /* also after a reset: notice it */
            return;
        }
        follow_all(header.seq);
    }
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (handlers[i].kind == header.kind) {
            handlers[i].handle(&header, body + HEADER, size - HEADER);
            return;
        }
    }
    refuse(&header, HIL_UNKNOWN_KIND);
}

_Noreturn void hil_runtime_serve(void)
{
    begin();
    hil_decoder_init(&rt.decoder, rt.request, sizeof rt.request);
    for (;;) {
        uint8_t bytes[64];
        const size_t count = hil_port_read(bytes, sizeof bytes);

        if (count == 0) {
            hil_port_wait();
        }
        for (size_t i = 0; i < count; i++) {
            const size_t size = hil_decoder_push(&rt.decoder, bytes[i]);
            if (size > 0) {
                dispatch(rt.request, size);
            }
        }
    }
}
