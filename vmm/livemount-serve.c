#include "livemount-serve.h"
#include "livemount-handles.h"
#include "livemount-message.h"
#include "livemount-sandbox.h"
#include "livemount-server.h"
#include "livemount-session.h"
#include "livemount-state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct server server = {.processes = -1};

/*
 * EXPECTED: the agent has not said what it knows yet. PAUSING: it was told to let nothing more come. STORING: it was
 * given our state. PAUSED: it has it, and nothing is on its way.
 */
static enum { EXPECTED, SERVING, PAUSING, STORING, PAUSED } phase;
/* The VMM wants to hear when we are PAUSED. */
static bool pause_wanted;

/* Held by the thread that reads; what is said above is its. */
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
/* Held, for reading, by every thread that has a request to answer. */
static pthread_rwlock_t answering = PTHREAD_RWLOCK_INITIALIZER;
static _Thread_local bool has_request;

static int give_up(const char *why) {
    dprintf(2, "LIVE_MOUNT_ENDED: %s\n", why);
    return 1;
}

static bool read_whole(void *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t n = read(SERVE_DATA_FD, (uint8_t *)bytes + done, length - done);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool say(uint32_t what) {
    return session_send(0, (int)what, NULL, 0);
}

static bool begin_pause(void) {
    phase = PAUSING;
    return say(LIVE_PAUSE);
}

/* What the guest believes to hold is given back to it: from here on it is all that is known. */
static const char *greet(size_t length) {
    uint8_t *state = malloc(length + 1);
    const char *problem = !state                       ? "out of memory"
                          : !read_whole(state, length) ? ""
                          : phase != EXPECTED || (length > 0 && !state_read(state, length))
                              ? "the guest's account of what it holds makes no sense"
                              : NULL;
    free(state);
    if (problem) {
        return problem;
    }
    phase = SERVING;
    return !pause_wanted || begin_pause() ? NULL : "";
}

static const char *store(void) {
    size_t length;
    /* Everything that came before is answered. */
    pthread_rwlock_wrlock(&answering);
    pthread_rwlock_unlock(&answering);
    uint8_t *state = phase == PAUSING ? state_write(&length) : NULL;
    if (!state) {
        return phase == PAUSING ? "there is too much to remember" : "an answer to nothing";
    }
    phase = STORING;
    bool sent = session_send(0, LIVE_STATE, state, length);
    free(state);
    return sent ? NULL : "";
}

static const char *stored(void) {
    if (phase != STORING) {
        return "an answer to nothing";
    }
    phase = PAUSED;
    if (pause_wanted) {
        static const char done = SERVE_PAUSED;
        return write(SERVE_CONTROL_FD, &done, 1) == 1 ? NULL : "";
    }
    phase = SERVING;
    return say(LIVE_GO) ? NULL : "";
}

/* NULL: go on; "": the machine has gone. `*length`: that of a request for libfuse. */
static const char *read_message(uint8_t *message, size_t room, size_t *length) {
    struct fuse_in_header header;
    if (!read_whole(&header, sizeof header)) {
        return "";
    }
    if (header.len < sizeof header || header.len > (header.opcode == LIVE_HELLO ? LIVE_MAX_STATE + sizeof header : room)) {
        return "a request has an impossible length";
    }
    if (header.opcode == LIVE_HELLO) {
        return greet(header.len - sizeof header);
    }
    memcpy(message, &header, sizeof header);
    if (!read_whole(message + sizeof header, header.len - sizeof header)) {
        return "";
    }
    if (header.opcode == LIVE_PAUSED) {
        return store();
    }
    if (header.opcode == LIVE_STORED) {
        return stored();
    }
    if (phase != SERVING && phase != PAUSING) {
        return "a request out of turn";
    }
    *length = session_admits(message, header.len) ? header.len : 0;
    return NULL;
}

static const char *obey(void) {
    char order;
    if (read(SERVE_CONTROL_FD, &order, 1) != 1) {
        return "";
    }
    if (order == SERVE_PAUSE) {
        pause_wanted = true;
        return phase != SERVING || begin_pause() ? NULL : "";
    }
    /* Go: at once, or when the agent has done what it was told. */
    pause_wanted = false;
    if (phase == PAUSED) {
        phase = SERVING;
        return say(LIVE_GO) ? NULL : "";
    }
    return NULL;
}

/* Until there is a request for libfuse, or a reason to end. */
static const char *read_request(uint8_t *message, size_t room, size_t *length) {
    const char *problem = NULL;
    for (*length = 0; !problem && *length == 0;) {
        struct pollfd fds[2] = {{SERVE_DATA_FD, POLLIN, 0}, {SERVE_CONTROL_FD, POLLIN, 0}};
        int ready = poll(fds, 2, -1);
        if (ready > 0 && fds[1].revents) {
            problem = obey();
        }
        if (ready > 0 && !problem && fds[0].revents) {
            problem = read_message(message, room, length);
        }
    }
    return problem;
}

/* What libfuse's threads wait in. The end of the machine, or of our patience with it, is the end of all of them. */
static ssize_t next_request(int fd, void *message, size_t room, void *unused) {
    size_t length;
    (void)fd;
    (void)unused;
    /* Who wants another has answered the one it had. */
    if (has_request) {
        pthread_rwlock_unlock(&answering);
    }
    pthread_mutex_lock(&reading);
    const char *problem = read_request(message, room, &length);
    if (problem) {
        _exit(*problem ? give_up(problem) : 0);
    }
    has_request = pthread_rwlock_rdlock(&answering) == 0;
    pthread_mutex_unlock(&reading);
    return (ssize_t)length;
}

/* Half of what may be open is for files the guest has open, a quarter for files it knows. */
static bool set_up(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    unsigned most = limit.rlim_cur > 65536 ? 65536 : (unsigned)limit.rlim_cur;
    handles_init(most / 2);
    umask(0);
    server.processes = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    server.user = geteuid();
    server.group = getegid();
    server.as_root = server.user == 0;
    return server.processes >= 0 && nodes_init(SERVE_ROOT_FD, most / 4);
}

int serve_mount(const char *mode) {
    server.read_only = strcmp(mode, "rw") != 0;
    if (set_up() && session_init(SERVE_DATA_FD, next_request) && sandbox_enter(SERVE_ROOT_FD)) {
        session_loop();
    }
    return give_up(strerror(errno));
}
