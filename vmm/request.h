/* Asking another machinen-vmm for a capture. */
#ifndef MACHINEN_REQUEST_H
#define MACHINEN_REQUEST_H

#include "captured.h"

/* The connection stays open in `fd`: as long as it does, a held machine stays paused. */
bool request_capture(const char *control_path, bool hold, int *fd, struct captured *out, struct error *error);
/* Sends a request without descriptors in its answer and waits for `ok`. */
bool request_simple(int fd, const char *request, struct error *error);

#endif
