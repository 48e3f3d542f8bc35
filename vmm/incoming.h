/* Starting from a running machine, a bundle or a template instead of booting (docs/protocol.md, section 6). */
#ifndef MACHINEN_INCOMING_H
#define MACHINEN_INCOMING_H

#include "vm.h"

enum { EXIT_CONFIG = 2, EXIT_QEMU = 3, EXIT_INCOMING = 4 };

/* Starts QEMU and waits until it takes orders. 0, or the exit status with `error`. */
int qemu_begin(struct error *error);
/* Leaves the guest running; the link is not up yet. 0, or the exit status with `error`. */
int incoming_begin(const char *overlay_directory, struct error *error);

#endif
