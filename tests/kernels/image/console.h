/* What the checks need of the machine they run on. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void print(const char *text);
_Noreturn void finish(int code);

#endif
