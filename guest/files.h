/* Port 1976: trees of files in and out as tar archives, made and read by ourselves, so that a guest without tar, or
 * with a strange one, is as good as any. */
#ifndef MACHINEN_FILES_H
#define MACHINEN_FILES_H

#include "request.h"

/* The last one has no name. */
extern const struct verb file_verbs[];

#endif
