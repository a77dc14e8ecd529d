/* The virt machine's second CFI NOR bank, by Intel's command set: two 16-bit
 * chips side by side, so every command goes to both. From QEMU's hw/riscv/virt.c
 * and hw/block/pflash_cfi01.c; the Common Flash Interface is JEDEC's JESD68. */
#include "hil_config.h"
#include "hil_memory.h"
#include "hil_port.h"

#if HIL_SLOTS

#define BOTH(command) ((uint32_t)(command) | (uint32_t)(command) << 16)

enum { ERASE = 0x20, CLEAR_STATUS = 0x50, BUFFER = 0xe8, CONFIRM = 0xd0, ARRAY = 0xff };
enum { READY = 0x80, FAILED = 0x3a }; /* erase, program, voltage, locked */
enum { PAGE = 256 };                  /* less than any chip's buffer, and aligned */
enum { PATIENCE = 100000000 };        /* looks at a status: a block takes seconds */

static volatile uint32_t *word(uint32_t at)
{
    return (volatile uint32_t *)(uintptr_t)(HIL_FLASH_ORIGIN + at);
}

static bool inside(uint32_t at, size_t size)
{
    return at <= HIL_FLASH_BYTES && size <= HIL_FLASH_BYTES - at;
}

/* Until both chips are ready: false when one never is. */
static bool ready(uint32_t at)
{
    for (uint32_t looks = 0; looks < PATIENCE; looks++) {
        if ((*word(at) & BOTH(READY)) == BOTH(READY)) {
            return true;
        }
    }
    return false;
}

/* An operation has been begun: was it done? The chips give data again then. */
static bool finish(uint32_t at)
{
    const bool done = ready(at) && (*word(at) & BOTH(FAILED)) == 0;

    *word(at) = BOTH(CLEAR_STATUS);
    *word(at) = BOTH(ARRAY);
    return done;
}

bool hil_port_flash_read(uint32_t at, void *to, size_t size)
{
    if (!inside(at, size)) {
        return false;
    }
    memcpy(to, (const void *)(uintptr_t)(HIL_FLASH_ORIGIN + at), size);
    return true;
}

/* Part of a page. */
static bool program_page(uint32_t at, const uint8_t *from, size_t size)
{
    *word(at) = BOTH(BUFFER);
    if (!ready(at)) {
        *word(at) = BOTH(ARRAY);
        return false;
    }
    *word(at) = BOTH(size / 4 - 1); /* each chip takes half of every word */
    for (size_t i = 0; i < size; i += 4) {
        uint32_t value;
        memcpy(&value, from + i, sizeof value);
        *word(at + (uint32_t)i) = value;
    }
    *word(at) = BOTH(CONFIRM);
    return finish(at);
}

bool hil_port_flash_program(uint32_t at, const void *from, size_t size)
{
    const uint8_t *data = from;

    if (!inside(at, size) || at % 4 != 0 || size % 4 != 0) {
        return false;
    }
    while (size > 0) {
        const size_t room = PAGE - at % PAGE;
        const size_t part = size < room ? size : room;
        if (!program_page(at, data, part)) {
            return false;
        }
        at += (uint32_t)part;
        data += part;
        size -= part;
    }
    return true;
}

bool hil_port_flash_erase(uint32_t at)
{
    if (!inside(at, HIL_FLASH_ERASE) || at % HIL_FLASH_ERASE != 0) {
        return false;
    }
    *word(at) = BOTH(ERASE);
    *word(at) = BOTH(CONFIRM);
    return finish(at);
}

bool hil_port_flash_sync(void)
{
    return true; /* a chip that is ready has written */
}

#endif
