#include "console.h"
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Behind on standard error by this much, we stop reading: the guest then waits, as on a real line. */
#define MAX_BEHIND 65536u
/* What a pipe that polls writable takes without blocking. Standard error may be shared with other
 * programs, so it is never switched to non-blocking. */
#define PIECE 4096u

static struct {
    int fd;
    char *ring;
    size_t total; /* bytes ever written to the ring */
    char behind[MAX_BEHIND + 8192];
    size_t behind_length;
    bool err_closed;
    char typed[PIECE];
    size_t typed_length;
    bool in_closed, line_closed;
    struct watch *line_watch, *in_watch, *err_watch;
} console;

static void keep_in_ring(const char *bytes, size_t length) {
    while (length > 0) {
        size_t at = console.total % CONSOLE_RING_BYTES, room = CONSOLE_RING_BYTES - at;
        size_t piece = length < room ? length : room;
        memcpy(console.ring + at, bytes, piece);
        console.total += piece;
        bytes += piece;
        length -= piece;
    }
}

size_t console_length(void) {
    return console.total < CONSOLE_RING_BYTES ? console.total : CONSOLE_RING_BYTES;
}

size_t console_copy(char *out, size_t room) {
    size_t length = console_length() < room ? console_length() : room;
    for (size_t i = 0; i < length;) {
        size_t at = (console.total - length + i) % CONSOLE_RING_BYTES, run = CONSOLE_RING_BYTES - at;
        size_t piece = length - i < run ? length - i : run;
        memcpy(out + i, console.ring + at, piece);
        i += piece;
    }
    return length;
}

/* Writes what standard error takes within `timeout_ms` per piece. */
static void flush_err(int timeout_ms) {
    size_t done = 0;
    while (done < console.behind_length && !console.err_closed) {
        struct pollfd ready = {2, POLLOUT, 0};
        size_t piece = console.behind_length - done < PIECE ? console.behind_length - done : PIECE;
        if (poll(&ready, 1, timeout_ms) <= 0) {
            break;
        }
        ssize_t n = write(2, console.behind + done, piece);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        console.err_closed = n < 0;
        done += n > 0 ? (size_t)n : 0;
    }
    console.behind_length = console.err_closed ? 0 : console.behind_length - done;
    memmove(console.behind, console.behind + done, console.behind_length);
}

static void update(void) {
    if (!console.line_watch || !console.in_watch || !console.err_watch) {
        return;
    }
    short line = 0;
    if (console.behind_length <= MAX_BEHIND && !console.line_closed) {
        line |= POLLIN;
    }
    if (console.typed_length > 0 && !console.line_closed) {
        line |= POLLOUT;
    }
    watch_events(console.line_watch, line);
    watch_events(console.err_watch, console.behind_length > 0 ? POLLOUT : 0);
    watch_events(console.in_watch, console.typed_length < PIECE && !console.in_closed ? POLLIN : 0);
}

void console_print(const char *bytes, size_t length) {
    if (console.err_closed || console.behind_length + length > sizeof console.behind) {
        return;
    }
    memcpy(console.behind + console.behind_length, bytes, length);
    console.behind_length += length;
    flush_err(0);
    update();
}

/* False at the end or when there is nothing now. */
static bool read_line(void) {
    char bytes[PIECE];
    ssize_t n = read(console.fd, bytes, sizeof bytes);
    if (n > 0) {
        keep_in_ring(bytes, (size_t)n);
        console_print(bytes, (size_t)n);
        return true;
    }
    console.line_closed = n == 0 || (errno != EAGAIN && errno != EINTR);
    return false;
}

static void write_line(void) {
    ssize_t n = write(console.fd, console.typed, console.typed_length);
    if (n > 0) {
        console.typed_length -= (size_t)n;
        memmove(console.typed, console.typed + n, console.typed_length);
    }
}

static void line_ready(void *context, short events) {
    (void)context;
    if (events & POLLOUT) {
        write_line();
    }
    if (events & (POLLIN | POLLHUP | POLLERR)) {
        read_line();
    }
    update();
}

static void in_ready(void *context, short events) {
    (void)context;
    (void)events;
    ssize_t n = read(0, console.typed + console.typed_length, PIECE - console.typed_length);
    if (n > 0) {
        console.typed_length += (size_t)n;
        write_line();
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        console.in_closed = true;
    }
    update();
}

static void err_ready(void *context, short events) {
    (void)context;
    (void)events;
    flush_err(0);
    update();
}

void console_type(const char *bytes, size_t length) {
    console.typed_length = length < PIECE ? length : PIECE;
    memcpy(console.typed, bytes, console.typed_length);
}

bool console_start(int fd) {
    console.fd = fd;
    console.ring = malloc(CONSOLE_RING_BYTES);
    console.line_watch = watch_add(fd, POLLIN, line_ready, NULL);
    console.in_watch = watch_add(0, POLLIN, in_ready, NULL);
    console.err_watch = watch_add(2, 0, err_ready, NULL);
    update();
    return console.ring && console.line_watch && console.in_watch && console.err_watch;
}

void console_finish(void) {
    while (console.ring && !console.line_closed && read_line()) {
        flush_err(1000);
    }
    flush_err(1000);
}
