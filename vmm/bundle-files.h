/* The files of a bundle: their names, and where they lie. */
#ifndef MACHINEN_BUNDLE_FILES_H
#define MACHINEN_BUNDLE_FILES_H

#include "captured.h"

#define BUNDLE_NAME 40

/* Of the file at `index`, in the order of captured_fds(). */
void bundle_file_name(const struct captured *captured, size_t index, char name[BUNDLE_NAME]);
/*
 * How a captured machine is described in a bundle: the writable layer of a mount (returned, if there is one) is
 * one file, which is of use by itself.
 */
const struct captured_disk *bundle_files(const struct captured *captured, struct captured *files);
/* Where the file of this name is: in the bundle, or elsewhere. */
const char *bundle_place(const struct captured *captured, const char *const places[DISK_USES], const char *name);

#endif
