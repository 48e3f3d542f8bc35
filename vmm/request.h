/* Asking another machinen-vmm for a capture. */
#ifndef MACHINEN_REQUEST_H
#define MACHINEN_REQUEST_H

#include "captured.h"

/* A connection to a machine's control socket; -1 and `error`. A held machine stays paused as long as it is open. */
int request_connect(const char *control_path, struct error *error);
/* The shape of the machine and its sealed base memory. */
bool request_base(int fd, int timeout_ms, struct captured *out, struct error *error);
/* `request` is one of the `capture` requests, with its newline. */
bool request_capture(int fd, const char *request, struct captured *out, struct error *error);
/* Sends a request without descriptors in its answer and waits for `ok`. */
bool request_simple(int fd, const char *request, struct error *error);

#endif
