/* Whether a saved machine can go on here: the host may be another one than it was saved on. */
#ifndef MACHINEN_FIT_H
#define MACHINEN_FIT_H

#include "captured.h"
#include "config.h"

/* The processor its kernel was started on; for a state from a file, which another host may have written. */
bool fits_processor(const struct captured *saved, const char *processor, uint64_t tsc_khz, struct error *error);
/* The QEMU that is to load it. */
bool fits_qemu(const char *saved, const char *here, struct error *error);

#endif
