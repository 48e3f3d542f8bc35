/* A captured machine as files in a directory (docs/protocol.md, section 6). */
#ifndef MACHINEN_BUNDLE_H
#define MACHINEN_BUNDLE_H

#include "captured.h"

/* Whole and synced, or (on false) nothing of it is left. */
bool bundle_write(const char *directory, const struct captured *captured, struct error *error);
/*
 * Checks every file. Memory and device state are copied, so the files may change afterwards; `lazy`: the memory is the
 * file itself where there can be a lease on it (lease.h). The files of a mount may lie elsewhere: where `places` has a
 * path for the use of their disk.
 */
bool bundle_read(const char *directory, const char *const places[DISK_USES], bool lazy, struct captured *captured, struct error *error);
/*
 * For a directory of our own cache: only sizes are checked, with `verify` also what the memory and the device state hold.
 * The memory is the file itself.
 */
bool template_read(const char *directory, bool verify, struct captured *captured, struct error *error);

#endif
