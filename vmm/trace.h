/* Where the time goes: MACHINEN_TRACE names a file that gets one line `phase microseconds` per step. */
#ifndef MACHINEN_TRACE_H
#define MACHINEN_TRACE_H

#include <stdint.h>

void trace_open(const char *path);
/* Notes the time since `since` under this name. Returns now, the start of the next phase. */
uint64_t trace(const char *phase, uint64_t since);

#endif
