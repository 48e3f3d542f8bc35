#include "request.h"
#include "files.h"
#include "loop.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define MAX_ANSWER 8192u
/* A large memory takes its time: about 0.6 ms per MB. */
#define ANSWER_MS 120000

struct answer {
    char text[MAX_ANSWER];
    size_t length;
    int fds[MAX_CAPTURED_FDS];
    size_t fd_count;
};

static void take_fds(struct msghdr *message, struct answer *answer) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t count = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (answer->fd_count < MAX_CAPTURED_FDS) {
                answer->fds[answer->fd_count++] = fd;
            } else {
                close_fd(&fd);
            }
        }
    }
}

static bool receive_line(int fd, int timeout_ms, struct answer *answer, struct error *error) {
    while (answer->length == 0 || answer->text[answer->length - 1] != '\n') {
        char control[CMSG_SPACE(MAX_CAPTURED_FDS * sizeof(int))];
        struct iovec piece = {answer->text + answer->length, MAX_ANSWER - answer->length};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        if (!wait_ready(fd, POLLIN, timeout_ms)) {
            return fail(error, errno == EINTR ? "INTERRUPTED" : "SOURCE_LOST", "the source machine: %s", strerror(errno));
        }
        ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail(error, "SOURCE_LOST", "the source machine ended");
        }
        take_fds(&message, answer);
        answer->length += (size_t)n;
    }
    return true;
}

/* The whole exchange; `object` points into `answer`. */
static bool ask(int fd, const char *request, int timeout_ms, struct answer *answer, struct json *object, struct error *error) {
    struct json value;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request)) {
        return fail(error, "SOURCE_LOST", "the source machine: %s", strerror(errno));
    }
    if (!receive_line(fd, timeout_ms, answer, error)) {
        return false;
    }
    if (!json_parse(answer->text, answer->length, object) || !json_member(*object, "ok", &value)) {
        return fail(error, "SOURCE_LOST", "the source machine's answer makes no sense");
    }
    if (!json_true(value)) {
        fail(error, "SOURCE_REFUSED", "the source machine refused");
        if (json_member(*object, "code", &value)) {
            json_string(value, error->code, sizeof error->code);
        }
        if (json_member(*object, "message", &value)) {
            json_string(value, error->message, sizeof error->message);
        }
        return false;
    }
    return true;
}

int request_connect(const char *path, struct error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (strlen(path) >= sizeof address.sun_path || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fail(error, "SOURCE_LOST", "%.200s: %s", path, strerror(errno));
        close_fd(&fd);
    }
    return fd;
}

static void drop(struct answer *answer) {
    for (size_t i = 0; i < answer->fd_count; i++) {
        close_fd(&answer->fds[i]);
    }
}

bool request_base(int fd, int timeout_ms, struct captured *out, struct error *error) {
    struct answer answer = {0};
    struct json object, value;
    captured_init(out);
    bool ok = ask(fd, "base\n", timeout_ms, &answer, &object, error) && captured_parse(object, out, error);
    if (!ok) {
        drop(&answer);
    } else if (!captured_adopt(out, false, answer.fds, answer.fd_count) ||
               !is_sealed(out->memory_fd, (uint64_t)out->memory_mib << 20) || !json_member(object, "template", &value) ||
               !json_string(value, out->template, sizeof out->template)) {
        ok = fail(error, "STATE_INVALID", "the source machine's memory is not what it should be");
    }
    if (!ok) {
        captured_close(out);
    }
    return ok;
}

/* Memory that could still change under us would tear the copy; a delta is looked at when it is used. */
static bool is_sound(const struct captured *captured, bool delta) {
    return is_sealed(captured->memory_fd, delta ? 0 : (uint64_t)captured->memory_mib << 20);
}

bool request_capture(int fd, const char *request, struct captured *out, struct error *error) {
    struct answer answer = {0};
    struct json object;
    bool delta = strncmp(request, "capture delta", 13) == 0;
    captured_init(out);
    bool ok = ask(fd, request, ANSWER_MS, &answer, &object, error) && captured_parse(object, out, error);
    if (!ok) {
        drop(&answer);
    } else if (!captured_adopt(out, true, answer.fds, answer.fd_count) || !is_sound(out, delta)) {
        ok = fail(error, "STATE_INVALID", "the source machine's descriptors are not what they should be");
    }
    if (!ok) {
        captured_close(out);
    }
    return ok;
}

bool request_simple(int fd, const char *request, struct error *error) {
    struct answer answer = {0};
    struct json object;
    return ask(fd, request, ANSWER_MS, &answer, &object, error);
}
