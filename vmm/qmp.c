#include "qmp.h"
#include "loop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES 65536
/* A command that takes longer than this will not come back. */
#define ANSWER_MS 30000

static bool lost(struct error *error, const char *why) {
    return fail(error, errno == EINTR ? "INTERRUPTED" : "QEMU_LOST", "QEMU's control connection: %s", why);
}

/* The next whole message, without waiting: 1 found, 0 not yet, -1 broken. */
static int next_message(struct qmp *qmp, struct json *message) {
    for (;;) {
        memmove(qmp->buffer, qmp->buffer + qmp->used, qmp->length - qmp->used);
        qmp->length -= qmp->used;
        qmp->used = 0;
        char *end = memchr(qmp->buffer, '\n', qmp->length);
        if (end) {
            qmp->used = (size_t)(end - qmp->buffer) + 1;
            return json_parse(qmp->buffer, qmp->used, message) ? 1 : -1;
        }
        ssize_t n = recv(qmp->fd, qmp->buffer + qmp->length, BUFFER_BYTES - qmp->length, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return 0;
        }
        if (n <= 0) {
            errno = 0;
            return -1;
        }
        qmp->length += (size_t)n;
    }
}

static bool is_event(struct qmp *qmp, struct json message) {
    struct json name, data = {"{}", 2};
    char text[64];
    if (!json_member(message, "event", &name)) {
        return false;
    }
    json_member(message, "data", &data);
    if (json_string(name, text, sizeof text)) {
        qmp->event(text, data);
    }
    return true;
}

static bool wait_message(struct qmp *qmp, struct json *message, struct error *error) {
    for (;;) {
        int got = next_message(qmp, message);
        if (got < 0) {
            return lost(error, "closed or not JSON");
        }
        if (got == 0 && !wait_ready(qmp->fd, POLLIN, ANSWER_MS)) {
            return lost(error, strerror(errno));
        }
        if (got > 0 && !is_event(qmp, *message)) {
            return true;
        }
    }
}

static bool send_line(struct qmp *qmp, int pass, const char *line, size_t length, struct error *error) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    while (length > 0) {
        struct iovec piece = {(void *)line, length};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        if (pass >= 0) {
            message.msg_control = &control;
            message.msg_controllen = sizeof control.room;
            control.header = (struct cmsghdr){CMSG_LEN(sizeof pass), SOL_SOCKET, SCM_RIGHTS};
            memcpy(CMSG_DATA(&control.header), &pass, sizeof pass);
        }
        ssize_t n = sendmsg(qmp->fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return lost(error, strerror(errno));
        }
        pass = -1;
        line += n;
        length -= (size_t)n;
    }
    return true;
}

bool qmp_command(struct qmp *qmp, int pass, struct json *result, struct error *error, const char *format, ...) {
    struct json message, value, text;
    char *line;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return fail(error, "NO_MEMORY", "out of memory");
    }
    bool sent = send_line(qmp, pass, line, (size_t)length, error);
    free(line);
    if (!sent || !wait_message(qmp, &message, error)) {
        return false;
    }
    if (json_member(message, "return", &value)) {
        if (result) {
            *result = value;
        }
        return true;
    }
    char why[240] = "it gave no reason";
    if (json_member(message, "error", &value) && json_member(value, "desc", &text)) {
        json_string(text, why, sizeof why);
    }
    return fail(error, "QEMU_REFUSED", "QEMU: %s", why);
}

bool qmp_open(struct qmp *qmp, int fd, void (*event)(const char *, struct json), struct error *error) {
    struct json message, part;
    uint64_t numbers[3] = {0};
    static const char *const names[3] = {"major", "minor", "micro"};
    *qmp = (struct qmp){.fd = fd, .buffer = malloc(BUFFER_BYTES), .event = event};
    if (!qmp->buffer) {
        return fail(error, "NO_MEMORY", "out of memory");
    }
    if (!wait_message(qmp, &message, error)) {
        return false;
    }
    if (!json_member(message, "QMP", &part) || !json_member(part, "version", &part) || !json_member(part, "qemu", &part)) {
        return lost(error, "no greeting");
    }
    for (int i = 0; i < 3; i++) {
        struct json number;
        if (json_member(part, names[i], &number)) {
            json_u64(number, &numbers[i]);
        }
    }
    snprintf(qmp->version, sizeof qmp->version, "%u.%u.%u", (unsigned)numbers[0] & 0xffff,
             (unsigned)numbers[1] & 0xffff, (unsigned)numbers[2] & 0xffff);
    return qmp_command(qmp, -1, NULL, error, "{\"execute\":\"qmp_capabilities\"}\n");
}

bool qmp_wait_event(struct qmp *qmp, int timeout_ms, struct error *error) {
    struct json message;
    int got;
    while ((got = next_message(qmp, &message)) == 0) {
        if (!wait_ready(qmp->fd, POLLIN, timeout_ms)) {
            return lost(error, strerror(errno));
        }
    }
    if (got < 0) {
        return lost(error, "closed or not JSON");
    }
    is_event(qmp, message);
    return true;
}

bool qmp_read_events(struct qmp *qmp) {
    struct json message;
    int got;
    while ((got = next_message(qmp, &message)) > 0) {
        is_event(qmp, message);
    }
    return got == 0;
}
