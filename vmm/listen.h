/* Unix sockets that only their owner can reach. */
#ifndef MACHINEN_LISTEN_H
#define MACHINEN_LISTEN_H

#include "error.h"

/* A listening unix socket, mode 0600; a stale one from a dead process is replaced. -1 and `error`. */
int listen_unix(const char *path, struct error *error);

#endif
