#include "hil_session.h"

#include "hil_build.h"
#include "hil_config.h"
#include "hil_learner.h"
#include "hil_memory.h"
#include "hil_port.h"
#include "hil_runtime.h"

_Static_assert(sizeof(struct hil_hello_reply) <= HIL_MAX_PAYLOAD,
               "HELLO's reply does not fit a frame");

/* All zero until hil_runtime_serve: initial values would take flash, too. */
static struct {
    _Alignas(16) uint32_t boot; /* the host's nonce, 0 before HELLO */
    uint32_t telemetry;         /* telemetry frames sent since HELLO */
    struct hil_decoder decoder;
    uint8_t request[HIL_HEADER_BYTES + HIL_MAX_PAYLOAD + HIL_CRC_BYTES];
    uint8_t reply[HIL_HEADER_BYTES + HIL_MAX_PAYLOAD + HIL_CRC_BYTES];
} session;

_Static_assert(sizeof session == HIL_SESSION_BYTES,
               "codegen/planning/layout.py has counted another session");

void hil_session_send(uint8_t *body, uint8_t kind, enum hil_status status, uint16_t seq,
                      size_t size)
{
    const struct hil_header header = { kind, (uint8_t)status, seq, session.boot };

    memcpy(body, &header, sizeof header);
    hil_frame_send(body, HIL_HEADER_BYTES + size);
}

uint8_t *hil_session_reply(void)
{
    return session.reply + HIL_HEADER_BYTES;
}

void hil_session_answer(const struct hil_request *to, enum hil_status status, size_t size)
{
    hil_session_send(session.reply, to->header.kind | HIL_REPLY, status, to->header.seq,
                     size);
}

void hil_session_done(const struct hil_request *to, const void *fields, size_t size)
{
    memcpy(session.reply + HIL_HEADER_BYTES, fields, size);
    hil_session_answer(to, HIL_OK, size);
}

void hil_session_refuse(const struct hil_request *to, enum hil_status status)
{
    hil_session_answer(to, status, 0);
}

void hil_runtime_fault(uint32_t cause, uint64_t pc, uint64_t address)
{
    const struct hil_fault fault = { cause, hil_learner_in_hand(), pc, address };
    uint8_t body[HIL_HEADER_BYTES + sizeof fault + HIL_CRC_BYTES];

    memcpy(body + HIL_HEADER_BYTES, &fault, sizeof fault);
    hil_session_send(body, HIL_FAULT, HIL_FAULTED, 0, sizeof fault);
}

/* The condition of the device: PING's reply. */
static struct hil_ping_reply condition(void)
{
    struct hil_ping_reply now = {
        .number = session.telemetry,
        .step = hil_learner_next(),
        .damaged = session.decoder.damaged,
        .overruns = hil_port_overruns(),
        .stack = hil_port_stack(),
    };

    hil_learner_condition(&now);
    return now;
}

/* The same, unasked. */
void hil_session_tell(void)
{
    const struct hil_ping_reply telemetry = condition();
    uint8_t body[HIL_HEADER_BYTES + sizeof telemetry + HIL_CRC_BYTES];

    session.telemetry++;
    memcpy(body + HIL_HEADER_BYTES, &telemetry, sizeof telemetry);
    hil_session_send(body, HIL_TELEMETRY, HIL_OK, 0, sizeof telemetry);
}

static void on_hello(const struct hil_request *request)
{
    const struct hil_header *const header = &request->header;
    struct hil_hello_reply reply = {
        .protocol_min = HIL_PROTOCOL_VERSION,
        .protocol_max = HIL_PROTOCOL_VERSION,
        .harts = 1,
        .vlen = HIL_VECTOR ? hil_port_vlen() : 0,
        .max_payload = HIL_MAX_PAYLOAD,
        .window = HIL_WINDOW,
        .step = hil_learner_next(),
        .committed_step = hil_learner_committed(),
        .goal = HIL_GOAL,
        .target_bytes = HIL_TARGET_BYTES,
        .target = HIL_TARGET,
        .isa = HIL_ISA,
    };

    if (header->boot == 0) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
        return;
    }
    if (session.boot != header->boot) {
        session.boot = header->boot;
        session.telemetry = 0;
        hil_learner_greet(header->seq);
    }
    memcpy(reply.digest, hil_build_digest, sizeof reply.digest);
    hil_session_done(request, &reply, sizeof reply);
}

static void on_ping(const struct hil_request *request)
{
    const struct hil_ping_reply reply = condition();

    hil_session_done(request, &reply, sizeof reply);
}

static void on_echo(const struct hil_request *request)
{
    hil_session_done(request, request->tail, request->size);
}

static void on_leave(const struct hil_request *request)
{
    hil_session_answer(request, HIL_OK, 0);
    hil_port_exit(request->fields.leave.code);
}

const struct hil_handler *hil_handler_of(const struct hil_handler *handlers, size_t count,
                                         uint8_t kind)
{
    for (size_t i = 0; i < count; i++) {
        if (handlers[i].kind == kind) {
            return &handlers[i];
        }
    }
    return NULL;
}

/* The handler of requests of a kind; NULL where there is none. */
static const struct hil_handler *handler_of(uint8_t kind)
{
    static const struct hil_handler handlers[] = {
        { HIL_HELLO, HIL_EXACTLY(struct hil_hello), on_hello },
        { HIL_PING, 0, 0, on_ping },
        { HIL_ECHO, 0, HIL_MAX_PAYLOAD, on_echo },
        { HIL_LEAVE, HIL_EXACTLY(struct hil_leave), on_leave },
    };
    const struct hil_handler *const own =
        hil_handler_of(handlers, sizeof handlers / sizeof handlers[0], kind);

    return own == NULL ? hil_learner_handler(kind) : own;
}

/* Whether a frame is of this session; answers where it is of another. */
static bool of_this_session(const struct hil_request *request)
{
    if (request->header.boot == 0) {
        return false; /* no session has the number 0: stay silent */
    }
    if (request->header.boot != session.boot) {
        hil_session_refuse(request, HIL_STALE_BOOT); /* also after a reset: notice it */
        return false;
    }
    return true;
}

static void dispatch(const uint8_t *body, size_t size)
{
    const uint8_t *const payload = body + HIL_HEADER_BYTES;
    struct hil_request request;

    size -= HIL_HEADER_BYTES;
    memcpy(&request.header, body, HIL_HEADER_BYTES);
    if (request.header.kind & HIL_REPLY) {
        return; /* an echo on the line: to answer an answer would never end */
    }
    if (request.header.kind != HIL_HELLO) {
        if (!of_this_session(&request)) {
            return;
        }
        hil_learner_follow(request.header.seq);
    }
    const struct hil_handler *const handler = handler_of(request.header.kind);
    if (handler == NULL) {
        hil_session_refuse(&request, HIL_UNKNOWN_KIND);
        return;
    }
    if (size < handler->least || size > handler->most) {
        hil_session_refuse(&request, HIL_BAD_PAYLOAD);
        return;
    }
    memcpy(&request.fields, payload, handler->least);
    request.tail = payload + handler->least;
    request.size = size - handler->least;
    handler->handle(&request);
}

_Noreturn void hil_runtime_serve(void)
{
    hil_learner_begin();
    hil_decoder_init(&session.decoder, session.request, sizeof session.request);
    for (;;) {
        uint8_t bytes[64];
        const size_t count = hil_port_read(bytes, sizeof bytes);

        if (count == 0) {
            hil_port_wait();
        }
        for (size_t i = 0; i < count; i++) {
            const size_t size = hil_decoder_push(&session.decoder, bytes[i]);
            if (size > 0) {
                dispatch(session.request, size);
            }
        }
    }
}
