/* What a port does for the runtime: one machine's line, counter and way out.
 *
 * A port folder implements these functions and nothing else; the linker
 * binds them, since an image is for one machine. The functions run on one
 * thread; only the port itself knows of interrupts.
 */
#ifndef HIL_PORT_H
#define HIL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bring up the line. Called once, before anything else here.
 * argc and argv are the program's on a hosted port, 0 and NULL elsewhere. */
void hil_port_init(int argc, char **argv);

/* Take up to `size` received bytes; returns how many, 0 when there are none.
 * Never waits. */
size_t hil_port_read(uint8_t *data, size_t size);

/* Sleep until there may be something to read. May return early. */
void hil_port_wait(void);

/* Send `size` bytes, waiting for the line as long as it takes. */
void hil_port_write(const uint8_t *data, size_t size);

/* Mask interrupts, or let them come again: nothing but the caller's own
 * instructions is then counted, and what the line brings must wait. Only the
 * watchdog's still comes. */
void hil_port_mask_interrupts(bool masked);

/* Start the watchdog anew, or stop it. Unless it is stopped within
 * HIL_WATCHDOG_MS milliseconds, it sends a FAULT and ends as hil_port_exit. */
void hil_port_watchdog(bool armed);

/* Instructions retired since some fixed moment; 0 always where the machine
 * has no such counter. */
uint64_t hil_port_instructions(void);

/* Clock cycles since some fixed moment; 0 always where the machine has no such
 * counter. */
uint64_t hil_port_cycles(void);

/* VLEN in bits, read from the machine; 0 without vectors. Traps where the
 * image has vector code and the machine has not. */
uint32_t hil_port_vlen(void);

/* Bytes of stack ever used, from its paint; 0 where it is not painted. */
uint32_t hil_port_stack(void);

/* Bytes lost because nobody read them in time, since boot. */
uint32_t hil_port_overruns(void);

/* Storage for checkpoints: NOR flash of HIL_FLASH_BYTES, where HIL_SLOTS is not 0.
 * Addresses begin at 0. Each returns whether it was done; what was not followed
 * by a sync may be lost with the power, and not in order. */
bool hil_port_flash_read(uint32_t at, void *to, size_t size);

/* `at` and `size` are multiples of HIL_FLASH_PROGRAM; what is there is erased. */
bool hil_port_flash_program(uint32_t at, const void *from, size_t size);

/* A block of HIL_FLASH_ERASE bytes; all of them are 0xff then. */
bool hil_port_flash_erase(uint32_t at);

bool hil_port_flash_sync(void);

/* End: an emulator exits with `code` (255 for all above, exit codes have 8
 * bits), a board resets. Does not return. */
_Noreturn void hil_port_exit(uint32_t code);

#endif
