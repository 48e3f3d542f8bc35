#include "leash.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool leash_given(void) {
    const char *variable = getenv("MACHINEN_LEASH");
    return variable && strcmp(variable, "3") == 0 && fcntl(LEASH_FD, F_SETFD, FD_CLOEXEC) == 0;
}

/* A byte lets go; the end of the pipe is the end of who held it. */
static void pulled(void *context, short events) {
    char byte;
    (void)events;
    ssize_t count = read(LEASH_FD, &byte, 1);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    watch_remove(*(struct watch **)context);
    close(LEASH_FD);
    if (count <= 0) {
        raise(SIGTERM);
    }
}

bool leash_start(void) {
    static struct watch *watch;
    if (leash_given()) {
        watch = watch_add(LEASH_FD, POLLIN, pulled, &watch);
        return watch != NULL;
    }
    return true;
}
