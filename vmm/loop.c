#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WATCHES 512
#define MAX_OTHERS 512
#define WAIT_MS 1000

struct watch {
    int fd;
    short events;
    uint32_t generation;
    ready_fn ready;
    void *context;
};

static struct watch watches[MAX_WATCHES];
static int signal_fd = -1;
static pid_t main_child; /* 0: QEMU is not there yet */
static sigset_t handled, inherited;
static bool stopping;
/* Somebody waits for us to give a lease back. That is left to the loop: who waits for something else would wake up for it
 * again and again. */
static bool lease_awaited;
static int stop_status;

uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct watch *watch_add(int fd, short events, ready_fn ready, void *context) {
    for (size_t i = 0; i < MAX_WATCHES; i++) {
        struct watch *watch = &watches[i];
        if (watch->ready == NULL) {
            *watch = (struct watch){fd, events, watch->generation + 1, ready, context};
            return watch;
        }
    }
    return NULL;
}

void watch_events(struct watch *watch, short events) {
    watch->events = events;
}

void watch_remove(struct watch *watch) {
    if (watch) {
        watch->ready = NULL;
        watch->generation++;
    }
}

bool signals_open(void) {
    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigaddset(&handled, SIGCHLD);
    sigaddset(&handled, SIGIO);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &handled, &inherited);
    signal_fd = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
    return signal_fd >= 0;
}

void signals_restore(void) {
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTTIN, SIG_DFL);
    signal(SIGTTOU, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void loop_main_child(pid_t pid) {
    main_child = pid;
}

/* False when it is not pending. */
static bool take_signal(int signal) {
    const struct timespec now = {0};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    return sigtimedwait(&one, NULL, &now) == signal;
}

/* Children become known by one signal for all: that of another one is taken away, that of ours stays for the loop. */
static bool main_child_ended(void) {
    siginfo_t info = {0};
    if (!take_signal(SIGCHLD)) {
        return false;
    }
    bool ended = main_child > 0 && (waitid(P_PID, (id_t)main_child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0);
    if (ended) {
        kill(getpid(), SIGCHLD);
    }
    return ended;
}

bool loop_interrupted(void) {
    sigset_t pending;
    if (signal_fd < 0 || sigpending(&pending) != 0) {
        return false;
    }
    lease_awaited |= sigismember(&pending, SIGIO) && take_signal(SIGIO);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) || sigismember(&pending, SIGHUP) ||
           (sigismember(&pending, SIGCHLD) && main_child_ended());
}

bool wait_ready(int fd, short events, int timeout_ms) {
    return wait_either(fd, events, -1, timeout_ms);
}

bool wait_either(int fd, short events, int connection, int timeout_ms) {
    uint64_t deadline = now_us() + (uint64_t)timeout_ms * 1000;
    for (;;) {
        /* A negative descriptor is left out. */
        struct pollfd fds[3] = {{fd, events, 0}, {signal_fd, POLLIN, 0}, {connection, POLLRDHUP, 0}};
        uint64_t now = now_us();
        int left = now < deadline ? (int)((deadline - now + 999) / 1000) : 0;
        int n = poll(fds, 3, left);
        if (n > 0 && fds[0].revents) {
            return true;
        }
        if (n > 0 && fds[2].revents && !fds[1].revents) {
            errno = ECONNRESET;
            return false;
        }
        bool signalled = (n > 0 && fds[1].revents) || (n < 0 && errno == EINTR);
        if (signalled && loop_interrupted()) {
            errno = EINTR;
            return false;
        }
        if (n == 0) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}

static void read_signals(void (*signalled)(int)) {
    struct signalfd_siginfo info;
    while (read(signal_fd, &info, sizeof info) == sizeof info) {
        signalled((int)info.ssi_signo);
    }
}

int loop_run(const struct loop_hooks *hooks) {
    uint64_t next_tick = 0;
    while (!stopping) {
        struct pollfd fds[MAX_WATCHES + 1 + MAX_OTHERS];
        struct watch *owners[MAX_WATCHES];
        uint32_t generations[MAX_WATCHES];
        nfds_t count = 0;
        int timeout = WAIT_MS;

        if (now_us() >= next_tick) {
            hooks->tick();
            next_tick = now_us() + 1000000;
        }
        hooks->before_wait();
        if (lease_awaited) {
            lease_awaited = false;
            hooks->signalled(SIGIO);
        }
        for (size_t i = 0; i < MAX_WATCHES; i++) {
            if (watches[i].ready && watches[i].events) {
                fds[count] = (struct pollfd){watches[i].fd, watches[i].events, 0};
                owners[count] = &watches[i];
                generations[count++] = watches[i].generation;
            }
        }
        fds[count] = (struct pollfd){signal_fd, POLLIN, 0};
        if (stopping) {
            continue;
        }
        size_t others = hooks->also(fds + count + 1, MAX_OTHERS, &timeout);
        int ready = poll(fds, count + 1 + others, timeout);
        hooks->came(fds + count + 1, ready >= 0 ? others : 0);
        if (ready <= 0) {
            continue;
        }
        if (fds[count].revents) {
            read_signals(hooks->signalled);
        }
        for (nfds_t i = 0; i < count && !stopping; i++) {
            if (fds[i].revents && owners[i]->generation == generations[i]) {
                owners[i]->ready(owners[i]->context, fds[i].revents);
            }
        }
    }
    return stop_status;
}

void loop_stop(int status) {
    if (!stopping) {
        stop_status = status;
    }
    stopping = true;
}
