/* Unix sockets on the host, each connection one stream to a port in the guest. */
#ifndef MACHINEN_FORWARD_H
#define MACHINEN_FORWARD_H

#include "config.h"
#include "stream.h"

/* Listens from now on; connections wait until the link is up. */
bool forward_listen(const struct forward_config *forwards, size_t count, struct error *error);
/* A connection of our own to a server the guest waits for; takes `fd`, which must not block. */
bool forward_attach(int fd, uint16_t port);
/* Starts the handshake over the serial port `fd`. `resumed`: clients get through only after RESUME (resume.h). */
bool forward_start(int fd, const uint8_t key[LINK_KEY_BYTES], bool resumed);
/* Moves what is queued for the guest; to be called before every wait. */
void forward_flush(void);
/* Once QEMU is gone: delivers what it left to clients that take it at once. */
void forward_finish(void);
/* The agent is there; and it is who it should be. */
bool forward_linked(void);
bool forward_ready(void);
void forward_key(uint8_t key[LINK_KEY_BYTES]);
void forward_remove_sockets(void);

#endif
