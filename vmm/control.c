#include "control.h"
#include "capture.h"
#include "config.h"
#include "console.h"
#include "fault.h"
#include "files.h"
#include "forward.h"
#include "full-disk.h"
#include "group.h"
#include "listen.h"
#include "livemount.h"
#include "loop.h"
#include "network.h"
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 32u
#define MAX_REQUEST 255u
#define HEAD_BYTES 4096u

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
    bool waits; /* with its first request: see must_wait() */
    bool dead;
};

static int listen_fd = -1;
static struct watch *listen_watch;
static struct client *clients, *holder; /* holder: on whose behalf the guest is paused */
static unsigned client_count;

static void drop_fds(struct client *client) {
    for (size_t i = 0; i < client->fd_count; i++) {
        close_fd(&client->fds[i]);
    }
    client->fd_count = 0;
}

static void close_client(struct client *client) {
    struct error ignored;
    if (client->dead) {
        return;
    }
    client->dead = true;
    if (holder == client) {
        holder = NULL;
        capture_release(&vm, &ignored);
    }
    drop_fds(client);
    watch_remove(client->watch);
    close_fd(&client->fd);
    client_count--;
}

static void answer_error(struct client *client, const struct error *error) {
    char message[2 * sizeof error->message];
    json_escape(error->message, message, sizeof message);
    client->answer_length = (size_t)snprintf(client->answer, HEAD_BYTES, "{\"ok\":false,\"code\":\"%s\",\"message\":\"%s\"}\n",
                                             error->code, message);
}

static void answer_members(struct client *client, const char *members) {
    client->answer_length = (size_t)snprintf(client->answer, HEAD_BYTES, "{\"ok\":true%s%s}\n", *members ? "," : "", members);
}

static void answer_status(struct client *client) {
    static bool was_ready;
    char members[1024], reason[2 * sizeof vm.accel_reason];
    was_ready |= forward_ready();
    snprintf(members, sizeof members,
             "\"state\":\"%s\",\"linked\":%s,\"qemuPid\":%d,\"accel\":\"%s\",\"accelReason\":\"%s\",\"memoryMib\":%u,"
             "\"uptimeMs\":%llu",
             vm.paused || full_disk_waits() ? "paused" : was_ready ? "running" : "booting", forward_linked() ? "true" : "false", (int)vm.qemu,
             vm.accel == ACCEL_KVM ? "kvm" : "tcg", json_escape(vm.accel_reason, reason, sizeof reason), vm.memory_mib,
             (unsigned long long)(now_us() - vm.started_us) / 1000);
    answer_members(client, members);
}

static void answer_console(struct client *client) {
    char members[64];
    size_t length = console_length();
    char *grown = realloc(client->answer, HEAD_BYTES + length);
    if (!grown) {
        length = 0;
    } else {
        client->answer = grown;
    }
    snprintf(members, sizeof members, "\"length\":%zu", length);
    answer_members(client, members);
    client->answer_length += console_copy(client->answer + client->answer_length, length);
}

static void answer_captured(struct client *client, const struct captured *captured) {
    char members[HEAD_BYTES - 64];
    client->fd_count = captured_fds(captured, client->fds);
    answer_members(client, captured_json(captured, members, sizeof members));
    fault(CAPTURE_ANSWERING);
}

static void answer_base(struct client *client) {
    struct captured captured;
    struct error error;
    char members[HEAD_BYTES - 256], both[HEAD_BYTES - 64];
    if (!capture_base(&vm, &captured, &error)) {
        answer_error(client, &error);
        return;
    }
    client->fd_count = captured_fds(&captured, client->fds);
    snprintf(both, sizeof both, "\"template\":\"%s\",%s", captured.template, captured_json(&captured, members, sizeof members));
    answer_members(client, both);
}

/* The first of a group captures for all. */
static bool capture_for(const char *token, uint64_t count, enum copy_kind kind, struct captured *captured, struct error *error) {
    if (group_has(token)) {
        return group_take(token, kind, captured, error);
    }
    if (!capture(&vm, kind, false, captured, error)) {
        return false;
    }
    if (!group_keep(token, kind, (unsigned)count - 1, captured)) {
        captured_close(captured);
        return fail(error, "CAPTURE_BUSY", "too many groups are waiting for their captures");
    }
    return true;
}

/* `capture [hold]` and `capture [delta] [<token> <n>]`. */
static void answer_capture(struct client *client, char *words) {
    struct captured captured;
    struct error error;
    char *token = strtok(words, " ");
    bool hold = token && strcmp(token, "hold") == 0, delta = token && strcmp(token, "delta") == 0;
    enum copy_kind kind = delta ? COPY_DELTA : COPY_WHOLE;
    if (hold || delta) {
        token = strtok(NULL, " ");
    }
    const char *number = token ? strtok(NULL, " ") : NULL;
    uint64_t count = 1;
    bool ok;
    if (strtok(NULL, " ") || (hold && token) ||
        (token && (!is_token(token, strlen(token)) || !number || !parse_number(number, 1, MAX_GROUP, &count)))) {
        ok = fail(&error, "BAD_REQUEST", "capture [hold], or capture [delta] [<token> <n>]");
    } else if (token) {
        ok = capture_for(token, count, kind, &captured, &error);
    } else {
        ok = capture(&vm, kind, hold, &captured, &error);
    }
    if (!ok) {
        answer_error(client, &error);
        return;
    }
    holder = hold ? client : holder;
    answer_captured(client, &captured);
}

static void answer_release(struct client *client) {
    struct error error;
    if (!holder) {
        fail(&error, "NOT_HELD", "no capture holds this machine");
    } else if (capture_release(&vm, &error)) {
        holder = NULL;
        answer_members(client, "");
        return;
    }
    answer_error(client, &error);
}

static void answer_forward(struct client *client, char *words) {
    struct error error;
    char members[HEAD_BYTES - 64];
    if (network_request(words, members, sizeof members, &error)) {
        answer_members(client, members);
    } else {
        answer_error(client, &error);
    }
}

static bool is_capture(const char *request) {
    return strncmp(request, "capture", 7) == 0 && (request[7] == '\n' || request[7] == ' ' || request[7] == '\0');
}

/* Who asks to be told when the machine is up; and captures, for live mounts to come to rest. What is refused anyway
 * need not wait. */
static bool must_wait(const char *request) {
    if (strncmp(request, "up\n", 3) == 0) {
        return !forward_ready();
    }
    if (!is_capture(request) || vm.paused || !forward_ready()) {
        return false;
    }
    live_mounts_pause();
    return live_mounts_rest() == LIVE_COMING_TO_REST;
}

static void answer(struct client *client, char *request) {
    struct error error;
    client->answer = malloc(HEAD_BYTES);
    client->answer_sent = 0;
    if (!client->answer) {
        close_client(client);
    } else if (strcmp(request, "status") == 0) {
        answer_status(client);
    } else if (strcmp(request, "up") == 0) {
        answer_members(client, "");
    } else if (strcmp(request, "console") == 0) {
        answer_console(client);
    } else if (strcmp(request, "base") == 0) {
        answer_base(client);
    } else if (is_capture(request) && live_mounts_rest() == LIVE_RESTLESS) {
        fail(&error, "LIVE_MOUNT_BUSY", "the guest did not let go of a live mount within 10 s");
        answer_error(client, &error);
    } else if (is_capture(request)) {
        answer_capture(client, request + 7);
    } else if (strncmp(request, "forward ", 8) == 0) {
        answer_forward(client, request + 8);
    } else if (strcmp(request, "release") == 0) {
        answer_release(client);
    } else if (strcmp(request, "quit") == 0) {
        answer_members(client, "");
        loop_stop(0);
    } else {
        fail(&error, "BAD_REQUEST", "unknown request");
        answer_error(client, &error);
    }
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
        if (must_wait(client->request)) {
            client->waits = true;
            break;
        }
        size_t length = (size_t)(end - client->request);
        memcpy(request, client->request, length);
        request[length] = '\0';
        client->request_length -= length + 1;
        memmove(client->request, end + 1, client->request_length);
        answer(client, request);
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
            waiting |= client->waits && is_capture(client->request);
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
