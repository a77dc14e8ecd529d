/* Inference of an imported model. WRITE puts words of its inputs where it wants them,
 * INFER computes, READ tells words of its outputs.
 *
 * An inference writes over its inputs, so it is done once: the same INFER again is only
 * answered again, and what was sent before the last one comes too late.
 */
#include "hil_config.h"
#include "hil_learner.h"
#include "hil_memory.h"
#include "hil_once.h"
#include "hil_port.h"
#include "hil_runtime.h"
#include "hil_session.h"
#include "hil_words.h"
#include "net.h"

static struct {
    _Alignas(16) net_t net;
    struct hil_once once;
} inference;

_Static_assert(sizeof inference == HIL_LEARNER_BYTES,
               "codegen/planning/layout.py has counted another inference");

void hil_learner_greet(uint16_t seq)
{
    hil_once_greet(&inference.once, seq);
}

void hil_learner_follow(uint16_t seq)
{
    hil_once_follow(&inference.once, seq);
}

void hil_learner_condition(struct hil_ping_reply *condition)
{
    hil_once_tell(&inference.once, condition);
}

static void on_init(const struct hil_request *request)
{
    if (!hil_once_may_begin(&inference.once, request)) {
        return;
    }
    const int status = net_self_test();
    if (status != NET_OK) {
        hil_runtime_fault(HIL_CAUSE_ARITHMETIC, 0, (uint32_t)-status);
        hil_session_refuse(request, HIL_FAULTED);
        return;
    }
    hil_once_begun(&inference.once, request);
}

/* The words that a READ or WRITE speaks of, or NULL when they are not all there. */
static uint8_t *find_words(const struct hil_read *ask)
{
    size_t words = 0;
    uint8_t *const tensor = net_tensor(&inference.net, ask->tensor, &words);

    return hil_words_find(ask, tensor, words);
}

static void on_read(const struct hil_request *request)
{
    hil_words_tell(request, find_words(&request->fields.read));
}

static void on_write(const struct hil_request *request)
{
    const struct hil_read *const ask = &request->fields.read; /* names words likewise */

    if (!hil_words_match(request) || !hil_once_in_time(&inference.once, request)) {
        return;
    }
    uint8_t *const data = find_words(ask);
    if (data == NULL || ask->tensor >= NET_INPUTS) {
        hil_session_refuse(request, HIL_OUT_OF_BOUNDS);
        return;
    }
    memcpy(data, request->tail, request->size);
    hil_session_done(request, ask, sizeof *ask);
}

/* Nothing but the inference is counted: no interrupt comes meanwhile, but the watchdog's.
 * A host has no other frame in flight; the same INFER again that is cut short by this is
 * answered already, or is sent once more. */
static void infer(void)
{
    hil_port_watchdog(true);
    hil_port_mask_interrupts(true);
    const uint64_t began = hil_port_cycles();
    const uint64_t before = hil_port_instructions();
    net_infer(&inference.net);
    inference.once.instructions = hil_port_instructions() - before;
    inference.once.cycles = hil_port_cycles() - began;
    hil_port_mask_interrupts(false);
    hil_port_watchdog(false);
}

static void on_infer(const struct hil_request *request)
{
    if (request->fields.infer.count != 0 || request->size != 0) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
    if (!hil_once_may_infer(&inference.once, request)) {
        return;
    }
    if (!hil_once_again(&inference.once, request)) {
        infer();
    }
    hil_once_inferred(&inference.once, request);
    hil_session_done(request, &request->fields.infer, sizeof request->fields.infer);
}

const struct hil_handler *hil_learner_handler(uint8_t kind)
{
    static const struct hil_handler handlers[] = {
        { HIL_INIT, HIL_EXACTLY(struct hil_init), on_init },
        { HIL_INFER, HIL_AT_LEAST(struct hil_infer), on_infer },
        { HIL_READ, HIL_EXACTLY(struct hil_read), on_read },
        { HIL_WRITE, HIL_AT_LEAST(struct hil_write), on_write },
    };

    return hil_handler_of(handlers, sizeof handlers / sizeof handlers[0], kind);
}
