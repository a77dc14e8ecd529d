/* The session: frames come in, each is a request to a handler, and is answered.
 *
 * It knows nothing of networks: requests that it does not handle itself go to the handlers
 * of hil_learner.h.
 */
#ifndef HIL_SESSION_H
#define HIL_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "hil_frame.h"
#include "hil_protocol.h"

#define HIL_HEADER_BYTES sizeof(struct hil_header)

/* A request: its header, its kind's fields, and the `size` bytes that follow them. */
struct hil_request {
    struct hil_header header;
    union hil_fields fields;
    const uint8_t *tail;
    size_t size;
};

/* The handler of one kind of requests. A payload has `least` bytes, those of its fields,
 * to `most`; the session refuses every other. `handle` answers once, or not at all where
 * the request comes too late. */
struct hil_handler {
    uint8_t kind;
    uint16_t least, most;
    void (*handle)(const struct hil_request *request);
};

/* Find the handler of a kind among `count` of them; NULL where there is none. */
const struct hil_handler *hil_handler_of(const struct hil_handler *handlers, size_t count,
                                         uint8_t kind);

/* `least` and `most` of a request that has fields and nothing else, and of one that has a
 * tail. */
#define HIL_EXACTLY(fields) sizeof(fields), sizeof(fields)
#define HIL_AT_LEAST(fields) sizeof(fields), HIL_MAX_PAYLOAD

/* Where a reply's payload is put together: HIL_MAX_PAYLOAD bytes. */
uint8_t *hil_session_reply(void);

/* Send the first `size` bytes there as the reply. */
void hil_session_answer(const struct hil_request *to, enum hil_status status, size_t size);

/* Reply that the request was done, with these fields. */
void hil_session_done(const struct hil_request *to, const void *fields, size_t size);

/* Reply that the request was not done, and why. */
void hil_session_refuse(const struct hil_request *to, enum hil_status status);

/* Send a frame from the caller's buffer: HIL_HEADER_BYTES for the header, which this
 * writes, `size` bytes of payload, and room for the CRC. */
void hil_session_send(uint8_t *body, uint8_t kind, enum hil_status status, uint16_t seq,
                      size_t size);

/* Send a telemetry frame. */
void hil_session_tell(void);

#endif
