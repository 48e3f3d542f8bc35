/*
 * Keeps chains of disk layers short: in the background all layers but the lowest, the raw image, are
 * joined into the overlay on top. Layers that other machines use are only read.
 */
#ifndef MACHINEN_FLATTEN_H
#define MACHINEN_FLATTEN_H

#include "vm.h"

/* QEMU said how a job ended. */
void flatten_event(struct vm *vm, const char *name, struct json data);
/* Before a capture, which needs the disks for itself: gives up what is not done, or waits when the chain
 * has become too long to go on without. */
bool flatten_settle(struct vm *vm, struct error *error);
/* Starts what is due; tidies up after what is done. To be called about once a second. */
void flatten_tick(struct vm *vm);

#endif
