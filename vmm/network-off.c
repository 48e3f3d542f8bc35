/* Built with `make NETWORK=0` instead of network.c: a network card with nothing behind it. */
#include "network.h"

#include <unistd.h>

bool network_open(const struct config *config, struct error *error) {
    return !config->ports || fail(error, "NETWORK_MISSING", "MACHINEN_FORWARD: this machinen-vmm was built without a network");
}

bool network_start(int fd) {
    close(fd);
    return true;
}

size_t network_wait(struct pollfd *fds, size_t room, int *timeout_ms) {
    (void)fds, (void)room, (void)timeout_ms;
    return 0;
}

void network_ready(const struct pollfd *fds, size_t count) {
    (void)fds, (void)count;
}

bool network_has_connections(void) {
    return false;
}

bool network_request(char *words, char *out, size_t room, struct error *error) {
    (void)words, (void)out, (void)room;
    return fail(error, "NETWORK_MISSING", "this machinen-vmm was built without a network");
}
