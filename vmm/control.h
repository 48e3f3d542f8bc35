/* The control socket (docs/protocol.md, section 4). */
#ifndef MACHINEN_CONTROL_H
#define MACHINEN_CONTROL_H

#include "error.h"

bool control_listen(const char *path, struct error *error);
/* Frees connections that have ended; to be called before every wait. */
void control_sweep(void);

#endif
