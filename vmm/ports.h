/* Host ports led into the guest: how they are written, and who holds one that is taken. */
#ifndef MACHINEN_PORTS_H
#define MACHINEN_PORTS_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

#define MAX_PORTS 64

struct port_forward {
    uint32_t address; /* IPv4, in host order */
    uint16_t host_port, guest_port;
};

/* An IPv4 address and two ports from 1 to 65535. Fails with BAD_FORWARD. */
bool port_parse(const char *address, const char *host_port, const char *guest_port, struct port_forward *forward,
                struct error *error);
/* `<host addr>:<host port>:<guest port>[,...]`. */
bool ports_parse(const char *list, struct port_forward forwards[MAX_PORTS], size_t *count, struct error *error);
/* `127.0.0.1:8080` */
char *port_text(const struct port_forward *forward, char *out, size_t room);
/* ` by <name> (pid <n>)`, or nothing when the holder cannot be told. Returns `out`. */
char *port_holder(const struct port_forward *forward, char *out, size_t room);

#endif
