/* What a parked process is told: the stack on which a program starts, and the calls it makes before. */
#ifndef MACHINEN_START_IMAGE_H
#define MACHINEN_START_IMAGE_H

#include "parked-stub.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The stack of a program that has been loaded but has not run. Addresses are those of its process. */
struct loaded {
    uint64_t entry;
    uint64_t top; /* free below */
    uint64_t orders; /* where it finds them */
    uint64_t auxiliary[2 * 32];
    size_t auxiliary_words; /* with the pair of zeros at the end */
};

/* Orders, but for `given`, to start the program with these arguments and environment (lists that end with NULL) in
 * `directory`. False when that takes more than `room` bytes; the kernel gives a stack at least 128 KiB. */
bool start_image_make(struct parked_orders *orders, size_t room, const struct loaded *loaded, char *const *arguments,
                      char *const *environment, const char *directory);

#endif
