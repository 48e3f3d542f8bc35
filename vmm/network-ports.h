/* Host ports forwarded to the guest, bound by slirp. */
#ifndef MACHINEN_NETWORK_PORTS_H
#define MACHINEN_NETWORK_PORTS_H

#include "ports.h"

#include <arpa/inet.h>
#include <slirp/libslirp.h>

/* As slirp takes it. */
static inline struct in_addr ipv4(uint32_t address) {
    return (struct in_addr){htonl(address)};
}

bool network_port_add(Slirp *slirp, const struct port_forward *forward, struct error *error);
/* As network_request() of network.h, with a network. */
bool network_port_request(Slirp *slirp, char *words, char *out, size_t room, struct error *error);

#endif
