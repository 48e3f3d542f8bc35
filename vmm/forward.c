#include "forward.h"
#include "files.h"
#include "forward-clients.h"
#include "listen.h"
#include "loop.h"
#include "resume.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    struct link *link;
    struct watch *watch;
    int fd;
    struct {
        struct forward_config config;
        struct watch *watch;
        int fd;
    } listeners[MAX_FORWARDS];
    size_t listener_count;
    bool closed; /* to clients: RESUME has not been answered yet */
} forward = {.fd = -1};

static bool attach(int fd, uint16_t port, bool serves) {
    return clients_add(fd, port, serves, forward_ready() ? forward.link : NULL);
}

bool forward_attach(int fd, uint16_t port) {
    return attach(fd, port, true);
}

static void listener_ready(void *context, short events) {
    size_t index = (size_t)(uintptr_t)context;
    (void)events;
    int fd = accept4(forward.listeners[index].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!attach(fd, forward.listeners[index].config.port, false)) {
        close_fd(&fd);
    }
}

static void on_up(void *context) {
    (void)context;
    if (forward.closed) {
        resume_send(forward.link);
    } else {
        clients_let_through(forward.link);
    }
}

static void resume_answered(void) {
    struct error ignored;
    if (forward.closed && resume_outcome(&ignored) == RESUME_ACCEPTED) {
        forward.closed = false;
        clients_let_through(forward.link);
    }
}

static bool on_opened(void *context, struct stream *stream, uint16_t port) {
    (void)context;
    (void)stream;
    (void)port;
    return false;
}

static void on_data(void *context, struct stream *stream, const uint8_t *bytes, size_t length) {
    (void)context;
    if (resume_owns(stream)) {
        resume_data(stream, bytes, length);
        resume_answered();
    } else {
        client_data(stream_data(stream), bytes, length);
    }
}

static void on_finished(void *context, struct stream *stream) {
    (void)context;
    if (!resume_owns(stream)) {
        client_finished(stream_data(stream));
    }
}

static void on_writable(void *context, struct stream *stream) {
    (void)context;
    if (resume_owns(stream)) {
        resume_writable();
    } else {
        client_update(stream_data(stream));
    }
}

static void on_gone(void *context, struct stream *stream, bool clean) {
    (void)context;
    (void)clean;
    if (resume_owns(stream)) {
        resume_gone();
    } else {
        client_gone(stream_data(stream));
    }
}

static void restart_link(void) {
    uint8_t next[LINK_KEY_BYTES];
    if (getrandom(next, sizeof next, 0) == sizeof next) {
        link_start(forward.link, next);
    }
}

/* False when there is nothing to read now. */
static bool read_link(void) {
    static uint8_t bytes[65536];
    ssize_t n = read(forward.fd, bytes, sizeof bytes);
    if (n > 0 && !link_input(forward.link, bytes, (size_t)n)) {
        restart_link();
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        watch_remove(forward.watch);
        forward.watch = NULL;
    }
    return n > 0;
}

static void link_ready(void *context, short events) {
    (void)context;
    if (events & (POLLIN | POLLHUP | POLLERR)) {
        read_link();
    }
}

void forward_flush(void) {
    const uint8_t *bytes;
    size_t length;
    bool full = false;
    while (forward.watch && !full && (length = link_output(forward.link, &bytes)) > 0) {
        ssize_t n = send(forward.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        full = n < 0;
        if (n > 0) {
            link_written(forward.link, (size_t)n);
        }
    }
    if (forward.watch) {
        watch_events(forward.watch, full ? POLLIN | POLLOUT : POLLIN);
    }
    clients_sweep();
    for (size_t i = 0; i < forward.listener_count; i++) {
        watch_events(forward.listeners[i].watch, clients_have_room() ? POLLIN : 0);
    }
}

bool forward_start(int fd, const uint8_t key[LINK_KEY_BYTES], bool resumed) {
    static const struct link_events events = {on_up, on_opened, on_data, on_finished, on_writable, on_gone};
    forward.fd = fd;
    forward.closed = resumed;
    if (resumed) {
        resume_expect();
    }
    forward.link = link_new(LINK_HOST, key, &events, NULL);
    forward.watch = forward.link ? watch_add(fd, POLLIN, link_ready, NULL) : NULL;
    if (forward.watch) {
        restart_link();
    }
    return forward.watch != NULL;
}

void forward_finish(void) {
    while (forward.watch && read_link()) {
    }
    clients_write();
}

bool forward_linked(void) {
    return forward.link && link_is_up(forward.link);
}

bool forward_ready(void) {
    return forward_linked() && !forward.closed;
}

void forward_key(uint8_t key[LINK_KEY_BYTES]) {
    link_key(forward.link, key);
}

bool forward_listen(const struct forward_config *forwards, size_t count, struct error *error) {
    for (size_t i = 0; i < count; i++) {
        int fd = listen_unix(forwards[i].path, error);
        if (fd < 0) {
            return false;
        }
        forward.listeners[i].config = forwards[i];
        forward.listeners[i].fd = fd;
        forward.listeners[i].watch = watch_add(fd, POLLIN, listener_ready, (void *)(uintptr_t)i);
        forward.listener_count++;
    }
    return true;
}

void forward_remove_sockets(void) {
    for (size_t i = 0; i < forward.listener_count; i++) {
        unlink(forward.listeners[i].config.path);
    }
}
