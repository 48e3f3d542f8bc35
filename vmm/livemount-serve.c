#include "livemount-serve.h"
#include "livemount-handles.h"
#include "livemount-sandbox.h"
#include "livemount-server.h"
#include "livemount-state.h"
#include "livemount-workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
    return send_answer(0, (int)what, NULL, 0);
}

static bool begin_pause(void) {
    phase = PAUSING;
    return say(LIVE_PAUSE);
}

/* What the guest believes to hold is given back to it: from here on it is all that is known. */
static const char *greet(const struct request *request) {
    if (phase != EXPECTED || (request->body_length > 0 && !state_read(request->body, request->body_length))) {
        return "the guest's account of what it holds makes no sense";
    }
    phase = SERVING;
    return !pause_wanted || begin_pause() ? NULL : "";
}

static const char *store(void) {
    size_t length;
    workers_settle();
    uint8_t *state = phase == PAUSING ? state_write(&length) : NULL;
    if (!state) {
        return phase == PAUSING ? "there is too much to remember" : "an answer to nothing";
    }
    phase = STORING;
    bool sent = send_answer(0, LIVE_STATE, state, length);
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

/* Takes the body. */
static const char *take(struct request *request) {
    const char *problem;
    switch (request->header.opcode) {
    case LIVE_HELLO:
        problem = greet(request);
        break;
    case LIVE_PAUSED:
        problem = store();
        break;
    case LIVE_STORED:
        problem = stored();
        break;
    default:
        if (phase != SERVING && phase != PAUSING) {
            problem = "a request out of turn";
            break;
        }
        workers_give(request);
        return NULL;
    }
    free(request->body);
    return problem;
}

/* NULL: go on; "": the machine has gone. */
static const char *read_request(void) {
    struct request request = {0};
    if (!read_whole(&request.header, sizeof request.header)) {
        return "";
    }
    size_t length = request.header.len, most = request.header.opcode == LIVE_HELLO ? LIVE_MAX_STATE : LIVE_MAX_REQUEST;
    if (length < sizeof request.header || length > most + sizeof request.header) {
        return "a request has an impossible length";
    }
    request.body_length = length - sizeof request.header;
    request.body = malloc(request.body_length + 1);
    if (!request.body) {
        return "out of memory";
    }
    if (!read_whole(request.body, request.body_length)) {
        free(request.body);
        return "";
    }
    return take(&request);
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

static const char *serve(void) {
    for (;;) {
        struct pollfd fds[2] = {{SERVE_DATA_FD, POLLIN, 0}, {SERVE_CONTROL_FD, POLLIN, 0}};
        const char *problem = NULL;
        if (poll(fds, 2, -1) < 0) {
            continue;
        }
        if (fds[1].revents) {
            problem = obey();
        }
        if (!problem && fds[0].revents) {
            problem = read_request();
        }
        if (problem) {
            return problem;
        }
    }
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
    if (!set_up() || !sandbox_enter(SERVE_ROOT_FD) || !workers_start(SERVE_DATA_FD)) {
        return give_up(strerror(errno));
    }
    const char *problem = serve();
    return *problem ? give_up(problem) : 0;
}
