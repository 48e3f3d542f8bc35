#include "control.h"
#include "control-answers.h"
#include "files.h"
#include "listen.h"
#include "livemount.h"
#include "loop.h"
#include "vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 32u

static int listen_fd = -1;
static struct watch *listen_watch;
static struct client *clients;
static unsigned client_count;

static void drop_fds(struct client *client) {
    for (size_t i = 0; i < client->fd_count; i++) {
        close_fd(&client->fds[i]);
    }
    client->fd_count = 0;
}

static void close_client(struct client *client) {
    if (client->dead) {
        return;
    }
    client->dead = true;
    control_let_go(client);
    drop_fds(client);
    watch_remove(client->watch);
    close_fd(&client->fd);
    client_count--;
}

/* Descriptors travel with the first bytes only. */
static ssize_t send_piece(struct client *client) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MAX_CAPTURED_FDS * sizeof(int))];
    } control = {0};
    struct iovec piece = {client->answer + client->answer_sent, client->answer_length - client->answer_sent};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (client->fd_count > 0) {
        size_t bytes = client->fd_count * sizeof(int);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(bytes);
        control.header = (struct cmsghdr){CMSG_LEN(bytes), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), client->fds, bytes);
    }
    return sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* True when the whole answer is out. */
static bool send_answer(struct client *client) {
    while (client->answer && client->answer_sent < client->answer_length) {
        ssize_t n = send_piece(client);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return false;
        }
        if (n < 0) {
            close_client(client);
            return false;
        }
        drop_fds(client);
        client->answer_sent += (size_t)n;
    }
    free(client->answer);
    client->answer = NULL;
    return !client->dead;
}

/* One request at a time: the next is looked at when the answer before it has gone out. */
static void serve(struct client *client) {
    char *end;
    client->waits = false;
    while (!client->dead && send_answer(client) && (end = memchr(client->request, '\n', client->request_length))) {
        char request[MAX_REQUEST + 1];
        if (control_must_wait(client->request)) {
            client->waits = true;
            break;
        }
        size_t length = (size_t)(end - client->request);
        memcpy(request, client->request, length);
        request[length] = '\0';
        client->request_length -= length + 1;
        memmove(client->request, end + 1, client->request_length);
        if (!control_answer(client, request)) {
            close_client(client);
        }
    }
    if (!client->dead && !client->answer && !client->waits && client->request_length == MAX_REQUEST) {
        close_client(client);
    }
    if (!client->dead) {
        watch_events(client->watch, client->answer ? POLLOUT : client->waits ? POLLHUP : POLLIN);
    }
}

/* Live mounts go on when nobody waits for them to rest and the last capture is over. */
static void serve_waiting(void) {
    bool waiting = false;
    for (struct client *client = clients; client; client = client->next) {
        if (client->waits && !client->dead) {
            serve(client);
            waiting |= client->waits && control_is_capture(client->request);
        }
    }
    if (!waiting && !vm.paused) {
        live_mounts_go();
    }
}

static void client_ready(void *context, short events) {
    struct client *client = context;
    if (!client->answer && events & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t n = recv(client->fd, client->request + client->request_length, MAX_REQUEST - client->request_length, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            close_client(client);
            return;
        }
        client->request_length += n > 0 ? (size_t)n : 0;
    }
    serve(client);
}

void control_sweep(void) {
    serve_waiting();
    for (struct client **at = &clients; *at;) {
        struct client *client = *at;
        if (client->dead) {
            *at = client->next;
            free(client->answer);
            free(client);
        } else {
            at = &client->next;
        }
    }
    if (listen_watch) {
        watch_events(listen_watch, client_count < MAX_CLIENTS ? POLLIN : 0);
    }
}

static void listener_ready(void *context, short events) {
    (void)context;
    (void)events;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *client = fd < 0 ? NULL : calloc(1, sizeof *client);
    if (client) {
        client->watch = watch_add(fd, POLLIN, client_ready, client);
    }
    if (!client || !client->watch) {
        free(client);
        close_fd(&fd);
        return;
    }
    client->fd = fd;
    client->next = clients;
    clients = client;
    client_count++;
}

bool control_listen(const char *path, struct error *error) {
    listen_fd = listen_unix(path, error);
    if (listen_fd < 0) {
        return false;
    }
    listen_watch = watch_add(listen_fd, POLLIN, listener_ready, NULL);
    return listen_watch != NULL;
}
