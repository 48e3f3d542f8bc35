/* What a parked process is told: the calls it makes first, what it is to find in its memory, and where it goes on. */
#ifndef MACHINEN_START_IMAGE_H
#define MACHINEN_START_IMAGE_H

#ifdef __x86_64__

#include "park.h"

/* Orders, but for `given`, to start a program that has been loaded but has not run, with these arguments and environment
 * (lists that end with NULL) in `directory`. False when that takes more room than there is; the kernel gives a stack of at
 * least 128 KiB. */
bool start_image_make(struct parking *parking, const struct tracee *loaded, char *const *arguments,
                      char *const *environment, const char *directory);

#endif
#endif
