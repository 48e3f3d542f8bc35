/* Empty qcow2 overlays, written by us: starting qemu-img costs more than the whole fork. */
#ifndef MACHINEN_QCOW2_H
#define MACHINEN_QCOW2_H

#include <stdbool.h>
#include <stdint.h>

#define QCOW2_MAX_BYTES (1ull << 42)

/* Writes an image of `size` guest bytes, nothing allocated, into the empty file `fd`. False with errno. */
bool qcow2_write_empty(int fd, uint64_t size);

/* Whether it is qcow2 that names no other file: QEMU would open a backing or data file of the image
 * author's choice. */
bool qcow2_is_self_contained(int fd);

#endif
