/* This machine takes over what a captured one was, before its QEMU is started. */
#ifndef MACHINEN_ADOPT_H
#define MACHINEN_ADOPT_H

#include "captured.h"

/* What it is made of; machines that cannot be made here are refused. */
bool adopt_shape(const struct captured *from, struct error *error);
/* Takes its memory away from `from`. */
void adopt_memory(struct captured *from);
/* Overlays are made in `directory`. `complete` false: more layers will come. */
bool adopt_disks(struct captured *from, bool complete, const char *directory, struct error *error);
bool adopt_state(struct captured *from, struct error *error);

#endif
