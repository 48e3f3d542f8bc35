#include "network-ports.h"
#include "frames.h"
#include "network-descriptors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct port_forward ports[MAX_PORTS];
static size_t port_count;

/* slirp keeps one connection waiting: of ten that come at once the kernel would reset most. */
static void lengthen_queue(const struct port_forward *forward) {
    for (int fd = 3; fd < (int)NETWORK_DESCRIPTORS; fd++) {
        struct sockaddr_in at = {0};
        socklen_t length = sizeof at;
        int listens = 0;
        socklen_t size = sizeof listens;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
            getsockname(fd, (struct sockaddr *)&at, &length) == 0 && at.sin_family == AF_INET &&
            at.sin_addr.s_addr == htonl(forward->address) && at.sin_port == htons(forward->host_port)) {
            listen(fd, SOMAXCONN);
        }
    }
}

bool network_port_add(Slirp *slirp, const struct port_forward *forward, struct error *error) {
    char text[32], holder[96];
    port_text(forward, text, sizeof text);
    if (port_count == MAX_PORTS) {
        return fail(error, "BAD_FORWARD", "%s: more than %d forwards", text, MAX_PORTS);
    }
    limit_descriptors(NETWORK_DESCRIPTORS);
    bool added = slirp_add_hostfwd(slirp, 0, ipv4(forward->address), forward->host_port, ipv4(NET_GUEST), forward->guest_port) == 0;
    int reason = errno;
    limit_descriptors(OUR_DESCRIPTORS);
    if (!added) {
        return reason == EADDRINUSE
                   ? fail(error, "PORT_IN_USE", "%s is in use%s", text, port_holder(forward, holder, sizeof holder))
                   : fail(error, "PORT_REFUSED", "%s cannot be listened on: %s", text, strerror(reason));
    }
    lengthen_queue(forward);
    ports[port_count++] = *forward;
    return true;
}

static bool remove_port(Slirp *slirp, const struct port_forward *wanted, struct error *error) {
    for (size_t i = 0; i < port_count; i++) {
        const struct port_forward *port = &ports[i];
        if (port->address == wanted->address && port->host_port == wanted->host_port) {
            slirp_remove_hostfwd(slirp, 0, ipv4(port->address), port->host_port);
            ports[i] = ports[--port_count];
            return true;
        }
    }
    return fail(error, "NO_FORWARD", "%u is not forwarded", wanted->host_port);
}

static void list_ports(char *out, size_t room) {
    int n = snprintf(out, room, "\"forwards\":[");
    for (size_t i = 0; i < port_count; i++) {
        char address[INET_ADDRSTRLEN];
        struct in_addr at = ipv4(ports[i].address);
        n += snprintf(out + n, room - (size_t)n, "%s[\"%s\",%u,%u]", i ? "," : "",
                      inet_ntop(AF_INET, &at, address, sizeof address), ports[i].host_port, ports[i].guest_port);
    }
    snprintf(out + n, room - (size_t)n, "]");
}

bool network_port_request(Slirp *slirp, char *words, char *out, size_t room, struct error *error) {
    const char *verb = strtok(words, " "), *address = strtok(NULL, " "), *host = strtok(NULL, " "), *guest = strtok(NULL, " ");
    bool more = strtok(NULL, " ") != NULL;
    struct port_forward forward;
    *out = '\0';
    if (verb && strcmp(verb, "list") == 0 && !address) {
        list_ports(out, room);
        return true;
    }
    if (verb && strcmp(verb, "add") == 0 && guest && !more) {
        return port_parse(address, host, guest, &forward, error) && network_port_add(slirp, &forward, error);
    }
    if (verb && strcmp(verb, "remove") == 0 && host && !guest) {
        return port_parse(address, host, "1", &forward, error) && remove_port(slirp, &forward, error);
    }
    return fail(error, "BAD_REQUEST", "forward list, forward add <addr> <host port> <guest port>, or forward remove <addr> <host port>");
}
