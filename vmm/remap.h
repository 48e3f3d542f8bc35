/* Has a running QEMU map another file over its guest's RAM, at the same place. */
#ifndef MACHINEN_REMAP_H
#define MACHINEN_REMAP_H

#include "vm.h"

/*
 * Privately: of what was written there before nothing is left. The guest must not run. On success vm->memory.fd is `fd`,
 * the one before is left to the caller. A QEMU that cannot be brought back to where it was is killed.
 */
bool remap_memory(struct vm *vm, int fd, struct error *error);
/* From time to time, so that QEMU does not keep open what it has mapped. */
void remap_tick(struct vm *vm);

#endif
