#include "livemount.h"
#include "config.h"
#include "fault.h"
#include "files.h"
#include "forward.h"
#include "json.h"
#include "livemount-serve.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REST_US 10000000ull

static struct live_mount {
    pid_t pid;
    int control; /* -1: the server has ended */
    struct watch *watch;
    bool resting;
} mounts[MAX_LIVE_MOUNTS];
static size_t mount_count;
static uint64_t paused_at; /* 0: not paused */

static void reap(struct live_mount *mount) {
    watch_remove(mount->watch);
    mount->watch = NULL;
    close_fd(&mount->control);
    kill(mount->pid, SIGKILL);
    waitpid(mount->pid, NULL, 0);
}

static void control_ready(void *context, short events) {
    struct live_mount *mount = context;
    char said;
    ssize_t n = recv(mount->control, &said, 1, MSG_DONTWAIT);
    (void)events;
    if (n == 1 && said == SERVE_PAUSED) {
        mount->resting = true;
    } else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        reap(mount);
    }
}

/* Out of the way of the numbers the server finds its descriptors under. */
static int above(int fd) {
    return fcntl(fd, F_DUPFD, SERVE_FDS_END);
}

static void become_server(int data, int control, int root, const char *mode, pid_t parent) {
    char *const arguments[] = {"machinen-vmm", "serve-mount", (char *)(uintptr_t)mode, NULL}, *const none[] = {NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    data = above(data);
    control = above(control);
    root = above(root);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(data, SERVE_DATA_FD) == SERVE_DATA_FD &&
        dup2(control, SERVE_CONTROL_FD) == SERVE_CONTROL_FD && dup2(root, SERVE_ROOT_FD) == SERVE_ROOT_FD &&
        close_range(SERVE_FDS_END, ~0u, 0) == 0 && setsid() > 0 && getppid() == parent) {
        signals_restore();
        execve("/proc/self/exe", arguments, none);
    }
    _exit(127);
}

static bool start_server(uint16_t port, int root, const char *mode, struct error *error) {
    struct live_mount *mount = &mounts[mount_count];
    int data[2] = {-1, -1}, control[2] = {-1, -1};
    pid_t parent = getpid();
    bool ok = make_socketpair(data) && make_socketpair(control);
    mount->control = control[0];
    mount->pid = ok ? fork() : -1;
    if (mount->pid == 0) {
        become_server(data[1], control[1], root, mode, parent);
    }
    close_fd(&data[1]);
    close_fd(&control[1]);
    ok = mount->pid > 0 && fcntl(data[0], F_SETFL, O_NONBLOCK) == 0;
    mount->watch = ok ? watch_add(mount->control, POLLIN, control_ready, mount) : NULL;
    ok = mount->watch && forward_attach(data[0], port);
    if (ok) {
        mount_count++;
        return true;
    }
    close_fd(&data[0]);
    if (mount->pid > 0) {
        reap(mount);
    }
    return fail(error, "LIVE_MOUNT_FAILED", "a file server could not be started: %s", strerror(errno));
}

static bool start_one(struct json entry, struct error *error) {
    struct json port, host, mode;
    uint64_t number;
    char path[PATH_MAX], word[3];
    if (!json_member(entry, "port", &port) || !json_u64(port, &number) || number < 1 || number > 65535 ||
        !json_member(entry, "host", &host) || !json_string(host, path, sizeof path) || path[0] != '/' ||
        !json_member(entry, "mode", &mode) || !json_string(mode, word, sizeof word) ||
        (strcmp(word, "ro") != 0 && strcmp(word, "rw") != 0)) {
        return fail(error, "CONFIG_INVALID", "MACHINEN_LIVE_MOUNTS: each entry has a port, an absolute host path and mode ro or rw");
    }
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        return fail(error, "LIVE_MOUNT_FAILED", "%.200s: %s", path, strerror(errno));
    }
    bool ok = start_server((uint16_t)number, root, word, error);
    close_fd(&root);
    return ok;
}

bool live_mounts_start(const char *list, struct error *error) {
    struct json array, entry;
    bool ok = true;
    if (!list) {
        return true;
    }
    if (!json_parse(list, strlen(list), &array) || array.text[0] != '[' || json_element(array, MAX_LIVE_MOUNTS, &entry)) {
        return fail(error, "CONFIG_INVALID", "MACHINEN_LIVE_MOUNTS: is no JSON array of at most %d entries", MAX_LIVE_MOUNTS);
    }
    for (size_t i = 0; ok && json_element(array, i, &entry); i++) {
        ok = start_one(entry, error);
    }
    fault(MOUNTS_STARTED);
    return ok;
}

void live_mounts_end(void) {
    for (size_t i = 0; i < mount_count; i++) {
        if (mounts[i].control >= 0) {
            reap(&mounts[i]);
        }
    }
}

pid_t live_mounts_first(void) {
    return mount_count > 0 && mounts[0].control >= 0 ? mounts[0].pid : 0;
}

static void tell_all(char what) {
    for (size_t i = 0; i < mount_count; i++) {
        mounts[i].resting = false;
        if (mounts[i].control >= 0) {
            send(mounts[i].control, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
}

void live_mounts_pause(void) {
    if (mount_count > 0 && !paused_at) {
        paused_at = now_us();
        tell_all(SERVE_PAUSE);
        fault(MOUNTS_PAUSING);
    }
}

enum live_rest live_mounts_rest(void) {
    bool rest = true;
    for (size_t i = 0; i < mount_count; i++) {
        rest = rest && (mounts[i].resting || mounts[i].control < 0);
    }
    return rest ? LIVE_AT_REST : paused_at && now_us() - paused_at > REST_US ? LIVE_RESTLESS : LIVE_COMING_TO_REST;
}

void live_mounts_go(void) {
    if (paused_at) {
        paused_at = 0;
        tell_all(SERVE_GO);
    }
}
