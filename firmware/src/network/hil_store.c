#include "hil_store.h"

#include "hil_config.h"
#include "hil_frame.h"
#include "hil_memory.h"
#include "hil_port.h"

enum { CHUNK = 256 }; /* bytes on their way, a multiple of the program size */
#define HEADER_CHECKED (sizeof(struct hil_checkpoint) - HIL_CRC_BYTES)

_Static_assert(CHUNK % HIL_FLASH_PROGRAM == 0, "a chunk ends inside a program unit");
_Static_assert(HIL_SLOT_BYTES % HIL_FLASH_ERASE == 0, "a slot ends inside a block");
_Static_assert(HIL_SLOTS >= 2 && HIL_SLOTS <= HIL_FLASH_BYTES / HIL_SLOT_BYTES,
               "the slots do not fit the flash");

static uint32_t address(uint32_t slot)
{
    return slot * HIL_SLOT_BYTES;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Whether a slot has a header that was written whole. */
static bool read_header(uint32_t slot, struct hil_checkpoint *entry)
{
    return hil_port_flash_read(address(slot), entry, sizeof *entry) &&
           entry->magic == HIL_CHECKPOINT_MAGIC && entry->sequence != 0 &&
           entry->size <= HIL_SLOT_BYTES - HIL_SLOT_STATE &&
           entry->crc == hil_crc32((const uint8_t *)entry, HEADER_CHECKED);
}

/* Whether the state that a header speaks of is there, unchanged. */
static bool state_is_whole(uint32_t slot, const struct hil_checkpoint *entry)
{
    uint8_t chunk[CHUNK];
    uint32_t crc = HIL_CRC_START;

    for (uint32_t at = 0; at < entry->size; at += CHUNK) {
        const uint32_t count = smaller(CHUNK, entry->size - at);
        if (!hil_port_flash_read(address(slot) + HIL_SLOT_STATE + at, chunk, count)) {
            return false;
        }
        crc = hil_crc32_add(crc, chunk, count);
    }
    return hil_crc32_end(crc) == entry->state_crc;
}

/* A newer checkpoint ranks higher. No two have the same number unless somebody else
 * wrote this flash; of those the first slot's is the newer. */
static uint64_t rank(uint32_t slot, const struct hil_checkpoint *entry)
{
    return (uint64_t)entry->sequence << 32 | (HIL_SLOTS - slot);
}

void hil_store_open(struct hil_store *store)
{
    struct hil_checkpoint entry;

    store->newest = HIL_SLOTS - 1; /* slot 0 is next */
    store->sequence = 0;
    store->kept = HIL_SLOTS; /* none */
    for (uint32_t slot = 0; slot < HIL_SLOTS; slot++) {
        if (read_header(slot, &entry) && entry.sequence > store->sequence) {
            store->newest = slot;
            store->sequence = entry.sequence;
        }
    }
}

bool hil_store_find(struct hil_store *store, uint32_t run, uint32_t last,
                    struct hil_checkpoint *found)
{
    uint64_t below = UINT64_MAX; /* newer ones were looked at, and are broken */

    for (;;) {
        struct hil_checkpoint entry;
        uint64_t highest = 0;
        uint32_t best = HIL_SLOTS;
        for (uint32_t slot = 0; slot < HIL_SLOTS; slot++) {
            if (read_header(slot, &entry) && entry.step <= last &&
                (run == 0 || entry.run == run) && rank(slot, &entry) < below &&
                rank(slot, &entry) > highest) {
                best = slot;
                highest = rank(slot, &entry);
                *found = entry;
            }
        }
        if (best == HIL_SLOTS) {
            return false;
        }
        if (state_is_whole(best, found)) {
            store->kept = best;
            return true;
        }
        below = highest;
    }
}

bool hil_store_load(const struct hil_store *store, void *state, uint32_t size)
{
    return hil_port_flash_read(address(store->kept) + HIL_SLOT_STATE, state, size);
}

/* Program `size` bytes from `at`, the last unit filled up as erased flash is. */
static bool program(uint32_t at, const uint8_t *from, uint32_t size)
{
    for (uint32_t done = 0; done < size; done += CHUNK) {
        const uint32_t count = smaller(CHUNK, size - done);
        const uint32_t whole =
            (count + HIL_FLASH_PROGRAM - 1) / HIL_FLASH_PROGRAM * HIL_FLASH_PROGRAM;
        uint8_t chunk[CHUNK];

        memset(chunk, 0xff, sizeof chunk);
        memcpy(chunk, from + done, count);
        if (!hil_port_flash_program(at + done, chunk, whole)) {
            return false;
        }
    }
    return true;
}

static bool erase(uint32_t slot)
{
    for (uint32_t at = 0; at < HIL_SLOT_BYTES; at += HIL_FLASH_ERASE) {
        if (!hil_port_flash_erase(address(slot) + at)) {
            return false;
        }
    }
    return hil_port_flash_sync();
}

bool hil_store_write(struct hil_store *store, struct hil_checkpoint *entry,
                     const void *state)
{
    uint32_t slot = (store->newest + 1) % HIL_SLOTS;

    if (store->sequence == HIL_CHECKPOINT_LAST) {
        return false;
    }
    if (slot == store->kept) { /* what is newer is broken, or was not wanted */
        slot = (slot + 1) % HIL_SLOTS;
    }
    entry->magic = HIL_CHECKPOINT_MAGIC;
    entry->version = HIL_CHECKPOINT_VERSION;
    entry->sequence = store->sequence + 1;
    entry->state_crc = hil_crc32(state, entry->size);
    entry->crc = hil_crc32((const uint8_t *)entry, HEADER_CHECKED);
    if (!erase(slot) || !program(address(slot) + HIL_SLOT_STATE, state, entry->size) ||
        !hil_port_flash_sync() ||
        !program(address(slot), (const uint8_t *)entry, sizeof *entry) ||
        !hil_port_flash_sync()) {
        return false;
    }
    store->newest = store->kept = slot;
    store->sequence = entry->sequence;
    return true;
}
