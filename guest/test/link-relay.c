/*
 * Stands in for machinen-vmm in tests: unix sockets on one side, the agent's link on the other.
 *
 *   link-relay spawn <agent program> <port>:<socket> ...     runs the agent as a child
 *   link-relay wait <agent program> <port>:<socket> ...      the same; the agent waits for RESUME
 *   link-relay connect <chardev socket> <key> <port>:<socket> ...   a guest under QEMU
 *
 * Prints `up` after each handshake. Lines on standard input: `restart` does a new handshake,
 * `garbage` first sends half a frame. Ends with standard input.
 */
#include "../../vmm/stream.h"
#include "relay-guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_CLIENTS = 300, MOST_PORTS = 8, HELD_BYTES = 262144 };

struct client {
    int fd;
    uint16_t port;
    struct stream *stream;
    uint8_t held[HELD_BYTES]; /* to the unix socket */
    size_t held_length;
    uint8_t unsent[65536]; /* to the stream */
    size_t unsent_length;
    bool read_ended, finish_pending;
};

static struct client *clients[MOST_CLIENTS];
static struct { int fd; uint16_t port; } ports[MOST_PORTS];
static unsigned port_count;
static struct link *host_link;
static int link_fd;

static void drop(struct client *client) {
    if (client->stream != NULL)
        stream_reset(client->stream);
    close(client->fd);
    for (unsigned i = 0; i < MOST_CLIENTS; i++)
        if (clients[i] == client)
            clients[i] = NULL;
    free(client);
}

static void push_unsent(struct client *client) {
    if (client->stream == NULL)
        return;
    size_t sent = stream_send(client->stream, client->unsent, client->unsent_length);
    memmove(client->unsent, client->unsent + sent, client->unsent_length - sent);
    client->unsent_length -= sent;
    if (client->read_ended && client->unsent_length == 0)
        stream_finish(client->stream);
}

/* False when the client is gone. */
static bool push_held(struct client *client) {
    while (client->held_length > 0) {
        ssize_t count = write(client->fd, client->held, client->held_length);
        if (count < 0 && errno == EAGAIN)
            return true;
        if (count <= 0) {
            drop(client);
            return false;
        }
        memmove(client->held, client->held + count, client->held_length - (size_t)count);
        client->held_length -= (size_t)count;
        if (client->stream != NULL)
            stream_consumed(client->stream, (size_t)count);
    }
    if (client->finish_pending)
        shutdown(client->fd, SHUT_WR);
    if (client->stream == NULL) {
        drop(client);
        return false;
    }
    return true;
}

static void on_up(void *context) {
    (void)context;
    puts("up");
    fflush(stdout);
}

static bool on_opened(void *context, struct stream *stream, uint16_t port) {
    (void)context, (void)stream, (void)port;
    return false;
}

static void on_data(void *context, struct stream *stream, const uint8_t *bytes, size_t length) {
    (void)context;
    struct client *client = stream_data(stream);
    memcpy(client->held + client->held_length, bytes, length);
    client->held_length += length;
}

static void on_finished(void *context, struct stream *stream) {
    (void)context;
    ((struct client *)stream_data(stream))->finish_pending = true;
}

static void on_writable(void *context, struct stream *stream) {
    (void)context;
    push_unsent(stream_data(stream));
}

static void on_gone(void *context, struct stream *stream, bool clean) {
    (void)context, (void)clean;
    ((struct client *)stream_data(stream))->stream = NULL;
}

static void start_handshake(void) {
    uint8_t next[LINK_KEY_BYTES];
    if (getrandom(next, sizeof next, 0) != sizeof next)
        die("getrandom");
    link_start(host_link, next);
}

static void listen_on(char *argument) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *path = strchr(argument, ':');
    if (path == NULL || port_count == MOST_PORTS)
        die("port");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 100) != 0)
        die(path + 1);
    ports[port_count].fd = fd;
    ports[port_count++].port = (uint16_t)atoi(argument);
}

static void accept_client(unsigned index) {
    int fd = accept4(ports[index].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct client *client = calloc(1, sizeof *client);
    client->fd = fd;
    client->stream = stream_open(host_link, ports[index].port);
    if (client->stream == NULL) {
        close(fd);
        free(client);
        return;
    }
    stream_set_data(client->stream, client);
    for (unsigned i = 0; i < MOST_CLIENTS; i++) {
        if (clients[i] == NULL) {
            clients[i] = client;
            return;
        }
    }
    drop(client);
}

static void read_client(struct client *client) {
    ssize_t count = read(client->fd, client->unsent + client->unsent_length,
                         sizeof client->unsent - client->unsent_length);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count < 0) {
        drop(client);
        return;
    }
    if (count == 0)
        client->read_ended = true;
    client->unsent_length += (size_t)count;
    push_unsent(client);
}

static void read_link(void) {
    static uint8_t bytes[65536];
    ssize_t count = read(link_fd, bytes, sizeof bytes);
    if (count == 0 || (count < 0 && errno != EAGAIN))
        exit(3);
    if (count > 0 && !link_input(host_link, bytes, (size_t)count))
        start_handshake();
}

static void write_link(void) {
    const uint8_t *bytes;
    size_t length;
    while ((length = link_output(host_link, &bytes)) > 0) {
        ssize_t count = write(link_fd, bytes, length);
        if (count <= 0)
            return;
        link_written(host_link, (size_t)count);
    }
}

static void command(void) {
    char line[256];
    ssize_t count = read(STDIN_FILENO, line, sizeof line - 1);
    if (count <= 0)
        exit(0);
    line[count] = '\0';
    /* The key follows in the middle of a data frame. */
    if (strstr(line, "garbage") != NULL && write(link_fd, "\0\0\0\0\0\0\0\1\0\0\20\0abc", 15) != 15)
        die("write");
    start_handshake();
}

static void loop(void) {
    static struct pollfd polls[2 + MOST_PORTS + MOST_CLIENTS];
    static struct client *polled[MOST_CLIENTS];
    for (;;) {
        unsigned count = 0, polled_count = 0;
        const uint8_t *bytes;
        write_link();
        bool full = link_output(host_link, &bytes) > 0;
        polls[count++] = (struct pollfd){link_fd, (short)(POLLIN | (full ? POLLOUT : 0)), 0};
        polls[count++] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
        for (unsigned i = 0; i < port_count; i++)
            polls[count++] = (struct pollfd){link_is_up(host_link) ? ports[i].fd : -1, POLLIN, 0};
        for (unsigned i = 0; i < MOST_CLIENTS; i++) {
            struct client *client = clients[i];
            if (client == NULL)
                continue;
            bool reads = !client->read_ended && client->unsent_length < sizeof client->unsent;
            short events = (short)((reads ? POLLIN : 0) | (client->held_length > 0 ? POLLOUT : 0));
            polled[polled_count++] = client;
            polls[count++] = (struct pollfd){client->fd, events, 0};
        }
        if (poll(polls, count, -1) < 0)
            die("poll");
        for (unsigned i = 0; i < polled_count; i++) {
            short got = polls[2 + port_count + i].revents;
            if ((got & (POLLERR | POLLHUP)) && !(got & POLLIN) && !polled[i]->finish_pending)
                drop(polled[i]);
            else if (got & POLLIN)
                read_client(polled[i]);
        }
        for (unsigned i = 0; i < port_count; i++)
            if (polls[2 + i].revents & POLLIN)
                accept_client(i);
        if (polls[1].revents != 0)
            command();
        if (polls[0].revents & (POLLIN | POLLHUP))
            read_link();
        for (unsigned i = 0; i < MOST_CLIENTS; i++)
            if (clients[i] != NULL)
                push_held(clients[i]);
    }
}

int main(int argc, char **argv) {
    static const struct link_events events = {on_up,       on_opened,   on_data,
                                              on_finished, on_writable, on_gone};
    uint8_t key[LINK_KEY_BYTES];
    int first = argc > 1 && strcmp(argv[1], "connect") == 0 ? 4 : 3;
    if (argc <= first) {
        fputs("usage: see the source\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (getrandom(key, sizeof key, 0) != sizeof key)
        die("getrandom");
    if (first == 3)
        link_fd = spawn_agent(argv[2], strcmp(argv[1], "wait") == 0, key);
    else
        link_fd = connect_guest(argv[2], argv[3], key);
    fcntl(link_fd, F_SETFL, O_NONBLOCK);
    fcntl(link_fd, F_SETFD, FD_CLOEXEC);
    for (int i = first; i < argc; i++)
        listen_on(argv[i]);
    host_link = link_new(LINK_HOST, key, &events, NULL);
    start_handshake();
    loop();
}
