/* One connection to the control socket. Private to control*.c. */
#ifndef MACHINEN_CONTROL_CLIENT_H
#define MACHINEN_CONTROL_CLIENT_H

#include "captured.h"

#include <stdbool.h>
#include <stddef.h>

#define MAX_REQUEST 255u

struct client {
    struct client *next;
    struct watch *watch;
    int fd;
    char request[MAX_REQUEST + 1];
    size_t request_length;
    char *answer; /* being sent */
    size_t answer_length, answer_sent;
    int fds[MAX_CAPTURED_FDS]; /* to go with its first byte */
    size_t fd_count;
    bool waits; /* with its first request: see control_must_wait() */
    bool dead;
};

#endif
