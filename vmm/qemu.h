/* QEMU as a child: its arguments, its cage, its end. */
#ifndef MACHINEN_QEMU_H
#define MACHINEN_QEMU_H

#include "vm.h"

/* Starts it; fills vm->qemu and our ends of its connections. */
bool qemu_spawn(struct vm *vm, struct error *error);
/* Reaps it if it has ended: true and the exit status as docs/protocol.md wants it. */
bool qemu_ended(struct vm *vm, int *status);
/* Kills and reaps it. */
void qemu_kill(struct vm *vm);
/* Prints what QEMU has said on its own standard error, capped, each line marked `qemu: `. */
void qemu_log_drain(struct vm *vm);

#endif
