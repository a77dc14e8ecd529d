/* NOR flash in a file. It keeps NOR's rules: what is programmed is erased and
 * aligned, or the process ends and says so. It counts operations (programs, erases
 * and syncs), and loses its power at one of them when it is told to:
 *
 *     nothing    the operation does nothing
 *     half       half of it is done
 *     reorder    it is done, but what came before it since the last sync is not
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hil_config.h"
#include "hil_port.h"
#include "host_flash.h"

enum model { NOTHING, HALF, REORDER };

static struct {
    int file; /* 0: there is no flash */
    uint32_t operations, cut_at, model;
    uint32_t undo_at, undo_size; /* what the last one overwrote, if not synced */
    uint8_t undo[HIL_FLASH_ERASE];
} nor;

_Static_assert(sizeof nor == HIL_NOR_BYTES, "ram.toml says another size");

static _Noreturn void broken_rule(const char *what, uint32_t at)
{
    fprintf(stderr, "host port: flash: %s at 0x%x\n", what, (unsigned)at);
    exit(8);
}

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(8);
}

void host_flash_open(const char *path)
{
    nor.file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (nor.file < 0 || ftruncate(nor.file, HIL_FLASH_BYTES) < 0) {
        fail(path);
    }
}

void host_flash_cut(uint32_t operation, const char *model)
{
    nor.cut_at = operation;
    nor.model = strcmp(model, "half") == 0      ? HALF
                  : strcmp(model, "reorder") == 0 ? REORDER
                                                  : NOTHING;
}

void host_flash_report(void)
{
    if (nor.file != 0) {
        fprintf(stderr, "flash operations: %u\n", (unsigned)nor.operations);
    }
}

static void put(uint32_t at, const void *from, size_t size)
{
    if (pwrite(nor.file, from, size, (off_t)at) != (ssize_t)size) {
        fail("flash");
    }
}

static void undo(void)
{
    put(nor.undo_at, nor.undo, nor.undo_size);
}

static _Noreturn void lose_power(void)
{
    (void)raise(SIGKILL);
    for (;;) {
    }
}

/* Write what an operation leaves, or lose the power instead. */
static void operate(uint32_t at, const void *leaves, size_t size)
{
    const bool cut = ++nor.operations == nor.cut_at;

    if (cut && nor.model == NOTHING) {
        lose_power();
    }
    if (cut && nor.model == HALF) {
        put(at, leaves, size / 2);
        lose_power();
    }
    if (cut) {
        put(at, leaves, size);
        undo();
        lose_power();
    }
    if (!hil_port_flash_read(at, nor.undo, size)) {
        broken_rule("no such place", at);
    }
    nor.undo_at = at;
    nor.undo_size = (uint32_t)size;
    put(at, leaves, size);
}

bool hil_port_flash_read(uint32_t at, void *to, size_t size)
{
    return nor.file != 0 && pread(nor.file, to, size, (off_t)at) == (ssize_t)size;
}

bool hil_port_flash_program(uint32_t at, const void *from, size_t size)
{
    uint8_t there[HIL_FLASH_ERASE];

    if (size > sizeof there || !hil_port_flash_read(at, there, size)) {
        return false;
    }
    if (at % HIL_FLASH_PROGRAM != 0 || size % HIL_FLASH_PROGRAM != 0) {
        broken_rule("a program that is not aligned", at);
    }
    for (size_t i = 0; i < size; i++) {
        if (there[i] != 0xff) {
            broken_rule("a program of what is not erased", at);
        }
    }
    operate(at, from, size);
    return true;
}

bool hil_port_flash_erase(uint32_t at)
{
    uint8_t erased[HIL_FLASH_ERASE];

    if (nor.file == 0) {
        return false;
    }
    if (at % HIL_FLASH_ERASE != 0) {
        broken_rule("an erase that is not aligned", at);
    }
    memset(erased, 0xff, sizeof erased);
    operate(at, erased, sizeof erased);
    return true;
}

bool hil_port_flash_sync(void)
{
    if (nor.file == 0) {
        return false;
    }
    if (++nor.operations == nor.cut_at) {
        if (nor.model == REORDER) {
            undo();
        }
        lose_power();
    }
    nor.undo_size = 0;
    return fdatasync(nor.file) == 0;
}
