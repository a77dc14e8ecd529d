/* READ and WRITE speak of the words of a tensor: which tensor, from which word on, and
 * how many. */
#ifndef HIL_WORDS_H
#define HIL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_memory.h"
#include "hil_session.h"

/* The words that `ask` speaks of, in a tensor of `words` words at `tensor`; NULL when they
 * are not all there, or there is no such tensor. */
static inline uint8_t *hil_words_find(const struct hil_read *ask, uint8_t *tensor,
                                      size_t words)
{
    if (tensor == NULL || ask->offset > words || ask->count > words - ask->offset) {
        return NULL;
    }
    return tensor + (size_t)ask->offset * 4;
}

/* Answer a READ with the words at `data`, NULL: they are not all there. */
static inline void hil_words_tell(const struct hil_request *request, const uint8_t *data)
{
    const struct hil_read *const ask = &request->fields.read;
    const size_t bytes = (size_t)ask->count * 4;
    uint8_t *const reply = hil_session_reply();

    if (data == NULL || bytes > HIL_MAX_PAYLOAD - sizeof *ask) {
        hil_session_refuse(request, HIL_OUT_OF_BOUNDS);
        return;
    }
    memcpy(reply, ask, sizeof *ask);
    memcpy(reply + sizeof *ask, data, bytes);
    hil_session_answer(request, HIL_OK, sizeof *ask + bytes);
}

/* Whether a WRITE carries as many bytes as the words it speaks of have; answers where not. */
static inline bool hil_words_match(const struct hil_request *request)
{
    const bool match = request->size == (size_t)request->fields.read.count * 4;

    if (!match) {
        hil_session_refuse(request, HIL_BAD_PAYLOAD);
    }
    return match;
}

#endif
