#include "forward-clients.h"
#include "files.h"
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_CLIENTS 250u
/* Clients that wait for the guest to come up. */
#define MAX_WAITING 64u
#define PIECE LINK_MAX_DATA

struct client {
    struct client *next;
    struct watch *watch;
    struct stream *stream; /* NULL: the link is not up yet, or `over` */
    struct link *link;     /* of the stream */
    int fd;                /* -1: gone before there was a stream, which is to be said yet */
    uint16_t port;
    bool serves;      /* the guest waits for this one: it is told when it has gone */
    bool input_over;  /* the client sends no more */
    bool output_over; /* the guest sends no more */
    bool over;        /* the stream is gone; what is pending still goes out */
    bool dead;        /* to be freed by clients_sweep() */
    uint8_t *pending; /* for the client; at most one window */
    size_t start, length;
};

static struct client *clients;
static unsigned client_count, waiting_count;

/* At rest a guest waits for another server when its stream ends: one that ends at once tells that none will come. */
static void say_gone(struct link *link, uint16_t port) {
    struct stream *stream = stream_open(link, port);
    if (stream) {
        stream_reset(stream);
    }
}

static void client_close(struct client *client) {
    if (client->dead) {
        return;
    }
    if (client->stream) {
        stream_reset(client->stream);
        client->stream = NULL;
        if (client->serves) {
            say_gone(client->link, client->port);
        }
    } else if (!client->over) {
        waiting_count--;
    }
    watch_remove(client->watch);
    close_fd(&client->fd);
    client->dead = true;
    client_count--;
}

void clients_sweep(void) {
    for (struct client **at = &clients; *at;) {
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

void client_update(struct client *client) {
    if (client->dead || client->fd < 0) {
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
    if (hung_up && client->serves && !client->stream && !client->over) {
        watch_remove(client->watch);
        client->watch = NULL;
        close_fd(&client->fd);
    } else if (hung_up) {
        client_close(client);
    }
    client_update(client);
}

static void open_stream(struct client *client, struct link *link) {
    client->stream = client->fd < 0 ? NULL : stream_open(link, client->port);
    client->link = link;
    if (!client->stream) {
        if (client->fd < 0) {
            say_gone(link, client->port);
        }
        client_close(client);
        return;
    }
    waiting_count--;
    stream_set_data(client->stream, client);
    client_update(client);
}

bool clients_have_room(void) {
    return client_count < MAX_CLIENTS && waiting_count < MAX_WAITING;
}

bool clients_add(int fd, uint16_t port, bool serves, struct link *link) {
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
    client->serves = serves;
    client->next = clients;
    clients = client;
    client_count++;
    waiting_count++;
    if (link) {
        open_stream(client, link);
    }
    return true;
}

void clients_let_through(struct link *link) {
    for (struct client *client = clients; client; client = client->next) {
        if (!client->dead && !client->over && !client->stream) {
            open_stream(client, link);
        }
    }
}

void client_data(struct client *client, const uint8_t *bytes, size_t length) {
    if (client->length == 0) {
        ssize_t n = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            client_close(client);
            return;
        }
        if (n > 0) {
            stream_consumed(client->stream, (size_t)n);
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

void client_finished(struct client *client) {
    client->output_over = true;
    if (client->length == 0) {
        shutdown(client->fd, SHUT_WR);
    }
    client_update(client);
}

void client_gone(struct client *client) {
    client->stream = NULL;
    client->over = client->output_over = client->input_over = true;
    client_update(client);
}

void clients_write(void) {
    for (struct client *client = clients; client; client = client->next) {
        if (!client->dead) {
            write_pending(client);
        }
    }
}
