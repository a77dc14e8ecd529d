/* The runtime: one network, one line, one message at a time. */
#ifndef HIL_RUNTIME_H
#define HIL_RUNTIME_H

#include <stdint.h>

#include "hil_protocol.h"

/* Serve the line for ever, or until LEAVE. */
_Noreturn void hil_runtime_serve(void);

/* Send a FAULT frame, from anywhere, also from a trap: it needs no more than
 * the port's write. The frame names the step that is being learned. */
void hil_runtime_fault(uint32_t cause, uint64_t pc, uint64_t address);

#endif
