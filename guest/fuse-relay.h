/*
 * Live mounts: what the guest's kernel asks of a FUSE file system, handed to a server on the host over a stream
 * of a port of its own, and its answers (docs/protocol.md, section 7). All that happens here is moving messages.
 */
#ifndef MACHINEN_FUSE_RELAY_H
#define MACHINEN_FUSE_RELAY_H

#include "agent.h"
#include "json.h"

enum { FIRST_LIVE_PORT = 2000, MOST_LIVE_MOUNTS = 16 };

extern const struct service fuse_service;
/* What `opened` is for other services: this one has a range of ports. */
struct connection *fuse_opened(struct stream *stream, uint16_t port);
static inline bool is_live_port(uint16_t port) {
    return port >= FIRST_LIVE_PORT && port < FIRST_LIVE_PORT + MOST_LIVE_MOUNTS;
}

/* Mount what a `liveMounts` array asks for; of mounts that are there only the mode is changed. NULL, or what is wrong. */
const char *live_mounts_apply(const struct json *list);
bool live_mounts_any(void);
/* Let go: whoever waits for a live mount gets an error. */
void live_mounts_abandon(void);

#endif
