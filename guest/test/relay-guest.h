/* Where the link's other end comes from: an agent of its own, or a guest under QEMU. */
#ifndef MACHINEN_RELAY_GUEST_H
#define MACHINEN_RELAY_GUEST_H

#include "../../vmm/stream.h"

#include <stdbool.h>
#include <stdint.h>

/* Tells what failed and why, and ends. */
_Noreturn void die(const char *what);

/* Starts the agent as a child; the link's file descriptor. */
int spawn_agent(const char *program, bool waits, const uint8_t key[LINK_KEY_BYTES]);

/* Connects to a guest's character device, whose key (in hex) is read; the link's file descriptor. */
int connect_guest(const char *path, const char *hex, uint8_t key[LINK_KEY_BYTES]);

#endif
