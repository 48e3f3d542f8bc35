#include "relay-guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

int spawn_agent(const char *program, bool waits, const uint8_t key[LINK_KEY_BYTES]) {
    int pair[2];
    char number[16], hex[2 * LINK_KEY_BYTES + 1];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        die("socketpair");
    for (unsigned i = 0; i < LINK_KEY_BYTES; i++)
        sprintf(hex + 2 * i, "%02x", key[i]);
    snprintf(number, sizeof number, "%d", pair[1]);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        execl(program, program, "--agent-fd", number, "--key", hex, waits ? "--wait" : NULL, NULL);
        _exit(127);
    }
    printf("agent %d\n", (int)pid);
    close(pair[1]);
    return pair[0];
}

int connect_guest(const char *path, const char *hex, uint8_t key[LINK_KEY_BYTES]) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (unsigned i = 0; i < LINK_KEY_BYTES; i++)
        sscanf(hex + 2 * i, "%2hhx", &key[i]);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die(path);
    return fd;
}
