/* The firmware's store on a flash that is memory, for a caller in the same process:
 * what it makes of an image, and what it writes into one. The flash works for so many
 * `operations` and fails from then on. */
#include <string.h>

#include "hil_config.h"
#include "hil_port.h"
#include "hil_store.h"

static uint8_t *flash; /* HIL_FLASH_BYTES */
static uint32_t left;  /* operations that succeed */

static bool works(void)
{
    return left > 0 && left-- > 0;
}

bool hil_port_flash_read(uint32_t at, void *to, size_t size)
{
    if (!works() || at > HIL_FLASH_BYTES || size > HIL_FLASH_BYTES - at) {
        return false;
    }
    memcpy(to, flash + at, size);
    return true;
}

bool hil_port_flash_program(uint32_t at, const void *from, size_t size)
{
    if (!works()) {
        return false;
    }
    memcpy(flash + at, from, size);
    return true;
}

bool hil_port_flash_erase(uint32_t at)
{
    if (!works()) {
        return false;
    }
    memset(flash + at, 0xff, HIL_FLASH_ERASE);
    return true;
}

bool hil_port_flash_sync(void)
{
    return works();
}

void hil_port_write(const uint8_t *data, size_t size)
{
    (void)data, (void)size; /* the CRC's file sends frames too */
}

/* The store after a reset, with a flash that works as yet. */
static struct hil_store opened(uint8_t *image)
{
    struct hil_store store;

    flash = image;
    left = UINT32_MAX;
    hil_store_open(&store);
    return store;
}

/* The slot of the newest whole checkpoint of step `last` or before, of a run (0: of
 * any), and its header; -1 without one. */
int choose(uint8_t *image, uint32_t operations, uint32_t run, uint32_t last,
           struct hil_checkpoint *found)
{
    struct hil_store store = opened(image);

    left = operations;
    return hil_store_find(&store, run, last, found) ? (int)store.kept : -1;
}

/* Read the state of the newest whole checkpoint, of which there is one. */
bool load(uint8_t *image, uint32_t operations, void *state, uint32_t size)
{
    struct hil_store store = opened(image);
    struct hil_checkpoint newest;

    (void)hil_store_find(&store, 0, HIL_NEVER, &newest);
    left = operations;
    return hil_store_load(&store, state, size);
}

/* Write a checkpoint as the runtime does after a reset. */
bool commit(uint8_t *image, uint32_t operations, struct hil_checkpoint *entry,
            const void *state)
{
    struct hil_store store = opened(image);
    struct hil_checkpoint newest;

    (void)hil_store_find(&store, 0, HIL_NEVER, &newest);
    left = operations;
    return hil_store_write(&store, entry, state);
}
