/*
 * What a server knows of its guest, as bytes that the guest's agent keeps while the machine is stopped and gives to
 * the next server. They come back from a guest, so they are as hostile as any request: they can name nothing that the
 * guest could not look up itself.
 */
#ifndef MACHINEN_LIVEMOUNT_STATE_H
#define MACHINEN_LIVEMOUNT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block of its own; NULL when memory is short or there is too much to keep. */
uint8_t *state_write(size_t *length);
/* Into empty tables. False: it makes no sense. */
bool state_read(const uint8_t *bytes, size_t length);

#endif
