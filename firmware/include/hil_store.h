/* Checkpoints in flash: a ring of slots, so that wear is spread, and the newest
 * whole checkpoint wins. A slot is erased and its state programmed before its
 * header is, each made sure of by a sync: a slot that was only half written has
 * no header whose CRCs fit. The newest is never the one that is written over.
 */
#ifndef HIL_STORE_H
#define HIL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_protocol.h"

/* The newest whole checkpoint, once it has been looked for. */
struct hil_store {
    uint32_t slot;     /* where it lies; none: the last, so that slot 0 is next */
    uint32_t sequence; /* 0: there is none */
};

/* Look for the newest whole checkpoint of step `last` or before, whatever it is of;
 * false: there is none. The next one is written after it, over what is newer. */
bool hil_store_find(struct hil_store *store, uint32_t last, struct hil_checkpoint *found);

/* Read the state of the checkpoint that was found: `size` bytes. */
bool hil_store_load(const struct hil_store *store, void *state, uint32_t size);

/* Write `state` of entry->size bytes as the newest checkpoint; fills in sequence
 * and CRCs. False: the flash failed, and the one before is still the newest. */
bool hil_store_write(struct hil_store *store, struct hil_checkpoint *entry,
                     const void *state);

#endif
