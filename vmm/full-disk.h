/*
 * A guest whose write finds the host's disk full: QEMU stops it in the middle of the write. It is let go on
 * again and again until the write succeeds, so that the guest loses nothing but time.
 */
#ifndef MACHINEN_FULL_DISK_H
#define MACHINEN_FULL_DISK_H

#include "vm.h"

/* QEMU said that a write failed. */
void full_disk_event(const char *name, struct json data);
/* To be called about once a second. */
void full_disk_tick(struct vm *vm);
bool full_disk_waits(void);

#endif
