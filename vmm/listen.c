#include "listen.h"
#include "files.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket file that nobody listens on any more. */
static bool is_stale(const struct sockaddr_un *address) {
    struct stat info;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool stale = lstat(address->sun_path, &info) == 0 && S_ISSOCK(info.st_mode) && info.st_uid == geteuid() &&
                 connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close_fd(&fd);
    return stale;
}

int listen_unix(const char *path, struct error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    mode_t mask = umask(0177);
    int failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    if (failed && errno == EADDRINUSE && is_stale(&address)) {
        unlink(path);
        failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    }
    umask(mask);
    if (failed || listen(fd, 128) != 0) {
        fail(error, "CONFIG_INVALID", "cannot listen on %.200s: %s", path, strerror(errno));
        close_fd(&fd);
    }
    return fd;
}
