/*
 * The machine's own network: libslirp turns the guest's frames into ordinary sockets of this process.
 * Built with `make NETWORK=0` (network-off.c) there is a network card with nothing behind it.
 */
#ifndef MACHINEN_NETWORK_H
#define MACHINEN_NETWORK_H

#include "config.h"
#include "error.h"

#include <poll.h>

/* Binds the host ports that are asked for: what is taken is found out before anything has started. */
bool network_open(const struct config *config, struct error *error);
/* Serves the guest at `fd`. Nothing of a resumed machine gets through before it knows who it is. */
bool network_start(int fd);

/* Hooks of the loop (loop.h): slirp's descriptors come and go. */
size_t network_wait(struct pollfd *fds, size_t room, int *timeout_ms);
void network_ready(const struct pollfd *fds, size_t count);

/* Whether the guest may have connections to the outside that a copy of it would have too. */
bool network_has_connections(void);

/* `forward list`, `forward add <addr> <host port> <guest port>`, `forward remove <addr> <host port>`: the text
 * after `forward`. The members of the answer go to `out`. */
bool network_request(char *words, char *out, size_t room, struct error *error);

#endif
