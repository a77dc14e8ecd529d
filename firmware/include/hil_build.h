/* Which build this is: the first 16 bytes of the build plan's digest, written
 * by the toolchain last of all. */
#ifndef HIL_BUILD_H
#define HIL_BUILD_H

#include <stdint.h>

extern const uint8_t hil_build_digest[16];

#endif
