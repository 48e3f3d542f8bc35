/* The stats file (docs/protocol.md, section 5). */
#ifndef MACHINEN_STATS_H
#define MACHINEN_STATS_H

#include "vm.h"

bool stats_open(const char *path, struct error *error);
/* Writes the figures if they have changed. */
void stats_update(const struct vm *vm);
void stats_remove(const char *path);

#endif
