/* The link to the host, and the services behind its streams. */
#ifndef MACHINEN_AGENT_H
#define MACHINEN_AGENT_H

#include "../vmm/stream.h"

struct connection;

/* All but `opened` mean what they mean in stream.h. */
struct service {
    uint16_t port;
    /* A new connection, allocated by the service; NULL refuses it. */
    struct connection *(*opened)(struct stream *stream);
    void (*data)(struct connection *connection, const uint8_t *bytes, size_t length);
    void (*finished)(struct connection *connection);
    void (*writable)(struct connection *connection);
    /* The service frees it. */
    void (*gone)(struct connection *connection);
};

/* The first member of what a service allocates per stream. */
struct connection {
    const struct service *service;
    struct stream *stream; /* NULL once it is gone */
};

/* `port_fd` >= 0: the link is this descriptor and the process ends with it. -1: it is the virtio
 * port, looked for until it is there. */
bool agent_init(int port_fd, const uint8_t key[LINK_KEY_BYTES]);
/* Write what the streams have queued; to be called before each wait. */
void agent_flush(void);
bool agent_is_listening(void);

#endif
