/* Copying the running machine: a moment of it, in descriptors. */
#ifndef MACHINEN_CAPTURE_H
#define MACHINEN_CAPTURE_H

#include "captured.h"
#include "copy.h"
#include "vm.h"

/* What `base` answers: what is frozen already, its sealed memory and lower disk layers; no state. */
bool capture_base(struct vm *vm, struct captured *out, struct error *error);
/* With `hold` the guest stays paused when this succeeds; in every other case it runs on. */
bool capture(struct vm *vm, enum copy_kind kind, bool hold, struct captured *out, struct error *error);
/* Lets a held guest run on. */
bool capture_release(struct vm *vm, struct error *error);

#endif
