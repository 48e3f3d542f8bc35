#include "forward.h"
#include "files.h"
#include "listen.h"
#include "loop.h"
#include "resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 250u
/* Clients that wait for the guest to come up. */
#define MAX_WAITING 64u
#define PIECE LINK_MAX_DATA

struct client {
    struct client *next;
    struct watch *watch;
    struct stream *stream; /* NULL: the link is not up yet, or `over` */
    int fd;
    uint16_t port;
    bool input_over;  /* the client sends no more */
    bool output_over; /* the guest sends no more */
    bool over;        /* the stream is gone; what is pending still goes out */
    bool dead;        /* to be freed by sweep() */
    uint8_t *pending; /* for the client; at most one window */
    size_t start, length;
};

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
    struct client *clients;
    unsigned client_count, waiting_count;
    bool closed; /* to clients: RESUME has not been answered yet */
} forward = {.fd = -1};

static void client_close(struct client *client) {
    if (client->dead) {
        return;
    }
    if (client->stream) {
        stream_reset(client->stream);
        client->stream = NULL;
    } else if (!client->over) {
        forward.waiting_count--;
    }
    watch_remove(client->watch);
    close_fd(&client->fd);
    client->dead = true;
    forward.client_count--;
}

static void sweep(void) {
    for (struct client **at = &forward.clients; *at;) {
        struct client *client = *at;
        if (client->dead) {
            *at = client->next;
            free(client->pending);
            free(client);
        } else {
            at = &client->next;
        }
    }
}

/* After our own shutdown(), a client's half-close looks like a hang-up: it is taken as a half-close. */
static bool we_shut(const struct client *client) {
    return client->output_over && client->length == 0;
}

static void client_update(struct client *client) {
    if (client->dead) {
        return;
    }
    if (client->length == 0 && client->over) {
        client_close(client);
        return;
    }
    short events = we_shut(client) ? 0 : POLLHUP;
    if (!client->input_over && client->stream && stream_room(client->stream) > 0) {
        events |= POLLIN;
    }
    if (client->length > 0) {
        events |= POLLOUT;
    }
    watch_events(client->watch, events);
}

static void write_pending(struct client *client) {
    while (client->length > 0) {
        ssize_t n = send(client->fd, client->pending + client->start, client->length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n < 0) {
            client_close(client);
            return;
        }
        client->start += (size_t)n;
        client->length -= (size_t)n;
        if (client->stream) {
            stream_consumed(client->stream, (size_t)n);
        }
    }
    client->start = 0;
    if (client->output_over) {
        shutdown(client->fd, SHUT_WR);
    }
}

static void read_client(struct client *client, bool hung_up) {
    uint8_t bytes[PIECE];
    size_t room;
    while (client->stream && (room = stream_room(client->stream)) > 0) {
        ssize_t n = recv(client->fd, bytes, room < sizeof bytes ? room : sizeof bytes, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n <= 0) {
            client->input_over = true;
            if (n == 0 && !hung_up) {
                stream_finish(client->stream);
            }
            return;
        }
        stream_send(client->stream, bytes, (size_t)n);
        if (!hung_up) {
            return;
        }
    }
}

static void client_ready(void *context, short events) {
    struct client *client = context;
    bool hung_up = events & (POLLHUP | POLLERR) && !we_shut(client);
    if (client->stream && !client->input_over && events & (POLLIN | POLLHUP)) {
        read_client(client, hung_up);
    }
    if (!hung_up && events & POLLOUT) {
        write_pending(client);
    }
    if (hung_up) {
        client_close(client);
    }
    client_update(client);
}

static void open_stream(struct client *client) {
    client->stream = stream_open(forward.link, client->port);
    if (!client->stream) {
        client_close(client);
        return;
    }
    forward.waiting_count--;
    stream_set_data(client->stream, client);
    client_update(client);
}

static bool has_room(void) {
    return forward.client_count < MAX_CLIENTS && forward.waiting_count < MAX_WAITING;
}

bool forward_attach(int fd, uint16_t port) {
    struct client *client = fd < 0 ? NULL : calloc(1, sizeof *client);
    if (client) {
        client->watch = watch_add(fd, POLLHUP, client_ready, client);
    }
    if (!client || !client->watch) {
        free(client);
        return false;
    }
    client->fd = fd;
    client->port = port;
    client->next = forward.clients;
    forward.clients = client;
    forward.client_count++;
    forward.waiting_count++;
    if (forward_ready()) {
        open_stream(client);
    }
    return true;
}

static void listener_ready(void *context, short events) {
    size_t index = (size_t)(uintptr_t)context;
    (void)events;
    int fd = accept4(forward.listeners[index].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!forward_attach(fd, forward.listeners[index].config.port)) {
        close_fd(&fd);
    }
}

static void let_clients_through(void) {
    for (struct client *client = forward.clients; client; client = client->next) {
        if (!client->dead && !client->over && !client->stream) {
            open_stream(client);
        }
    }
}

static void on_up(void *context) {
    (void)context;
    if (forward.closed) {
        resume_send(forward.link);
    } else {
        let_clients_through();
    }
}

static void resume_answered(void) {
    struct error ignored;
    if (forward.closed && resume_outcome(&ignored) == RESUME_ACCEPTED) {
        forward.closed = false;
        let_clients_through();
    }
}

static bool on_opened(void *context, struct stream *stream, uint16_t port) {
    (void)context;
    (void)stream;
    (void)port;
    return false;
}

static void on_data(void *context, struct stream *stream, const uint8_t *bytes, size_t length) {
    struct client *client = stream_data(stream);
    (void)context;
    if (resume_owns(stream)) {
        resume_data(stream, bytes, length);
        resume_answered();
        return;
    }
    if (client->length == 0) {
        ssize_t n = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            client_close(client);
            return;
        }
        if (n > 0) {
            stream_consumed(stream, (size_t)n);
            bytes += n;
            length -= (size_t)n;
        }
    }
    if (length > 0 && !client->pending) {
        client->pending = malloc(LINK_WINDOW);
    }
    if (length > 0 && client->pending && client->start + client->length + length > LINK_WINDOW) {
        memmove(client->pending, client->pending + client->start, client->length);
        client->start = 0;
    }
    if (length > 0 && (!client->pending || client->length + length > LINK_WINDOW)) {
        client_close(client);
        return;
    }
    if (length > 0) {
        memcpy(client->pending + client->start + client->length, bytes, length);
        client->length += length;
    }
    client_update(client);
}

static void on_finished(void *context, struct stream *stream) {
    struct client *client = stream_data(stream);
    (void)context;
    if (resume_owns(stream)) {
        return;
    }
    client->output_over = true;
    if (client->length == 0) {
        shutdown(client->fd, SHUT_WR);
    }
    client_update(client);
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
    struct client *client = stream_data(stream);
    (void)context;
    (void)clean;
    if (resume_owns(stream)) {
        resume_gone();
        return;
    }
    client->stream = NULL;
    client->over = client->output_over = client->input_over = true;
    client_update(client);
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
    sweep();
    for (size_t i = 0; i < forward.listener_count; i++) {
        watch_events(forward.listeners[i].watch, has_room() ? POLLIN : 0);
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
    for (struct client *client = forward.clients; client; client = client->next) {
        if (!client->dead) {
            write_pending(client);
        }
    }
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
