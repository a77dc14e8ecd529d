/* Checkpoints in flash: a ring of slots, so that wear is spread, and the newest
 * whole checkpoint wins. A slot is erased and its state programmed before its
 * header is, each made sure of by a sync: a slot that was only half written has
 * no header whose CRCs fit. The newest is never the one that is written over.
 * Sequence numbers end with HIL_CHECKPOINT_LAST: a checkpoint with that number is read as
 * any other, and none is written after it. No flash lives that long, but one that another
 * program wrote may hold it.
 */
#ifndef HIL_STORE_H
#define HIL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_protocol.h"

/* Where the ring is: `sequence` is the newest header's, 0 without one, and lies in
 * slot `newest`. Slot `kept` holds the checkpoint that the state came from, or was
 * last written to: it stays until the next is whole. */
struct hil_store {
    uint32_t newest, sequence, kept;
};

/* Find out where the ring is, after a reset. */
void hil_store_open(struct hil_store *store);

/* Look for the newest whole checkpoint of step `last` or before, of a run (0: of
 * any), whatever it is of; it is kept then. False: there is none. */
bool hil_store_find(struct hil_store *store, uint32_t run, uint32_t last,
                    struct hil_checkpoint *found);

/* Read the state of the checkpoint that is kept: `size` bytes. */
bool hil_store_load(const struct hil_store *store, void *state, uint32_t size);

/* Write `state` of entry->size bytes as the newest checkpoint; fills in sequence
 * and CRCs. False: the flash failed or the numbers have come to their end, and the one
 * before is still whole. */
bool hil_store_write(struct hil_store *store, struct hil_checkpoint *entry,
                     const void *state);

#endif
