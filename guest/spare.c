#include "spare.h"

#include "children.h"
#include "clone.h"
#include "loop.h"
#include "park.h"
#include "pipes.h"
#include "shell-file.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* A command that has just been started shall have the processor first, and one of many in a row no company. */
    MAKE_AFTER_MS = 250,
    BEGUN_MS = 1000,
};

static void make(struct timer *timer);
static void look_after(struct timer *timer);
static void stopped(struct child *child, int signal_number);
static void ended(struct child *child, int code);

static struct {
    enum { NONE, STARTING, PARKED, IMPOSSIBLE } state;
    struct child child;
    struct loaded loaded;
    struct shell_file file;
    struct cgroup *group;
    struct parking *parking;
    int out, err;  /* our ends */
    int theirs[4]; /* while it is made: what it has as its descriptors 0 to 3 */
    struct timer maker;
} spare = {.child = {.ended = ended, .stopped = stopped}, .maker = {.fired = make}};

/* One that was told what to become: until it knows, somebody may have stopped it. */
static struct {
    pid_t pid;
    struct parking *parking;
    struct timer timer;
} told = {.timer = {.fired = look_after}};

static void forget(void) {
    close(spare.out);
    close(spare.err);
    parking_free(spare.parking);
    if (spare.group != NULL)
        cgroup_release(spare.group);
    spare.group = NULL;
}

static void ended(struct child *child, int code) {
    (void)child, (void)code;
    forget();
    spare.state = NONE;
}

/* The processor's next commands go without one. */
static void give_up(void) {
    kill(spare.child.pid, SIGKILL);
    children_remove(&spare.child);
    forget();
    spare.state = IMPOSSIBLE;
}

static void stopped(struct child *child, int signal_number) {
    if (signal_number != SIGTRAP) {
        ptrace(PTRACE_CONT, child->pid, 0, signal_number);
        return;
    }
    if (!shell_file_is_of(&spare.file, child->pid) || !park(child->pid, &spare.loaded))
        give_up();
    else
        spare.state = PARKED;
}

/* Runs in our memory, beside us: what the C library keeps there must be left alone. */
_Noreturn static void execute_shell(void *context) {
    static const struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } by_default;
    static const uint64_t none;
    (void)context;
    clone_call(SYS_setsid, 0, 0, 0, 0);
    for (int fd = 0; fd <= PARKED_FD; fd++)
        clone_call(SYS_dup2, spare.theirs[fd], fd, 0, 0);
    clone_call(SYS_close_range, PARKED_FD + 1, ~0u, 0, 0);
    clone_call(SYS_rt_sigaction, SIGPIPE, (long)&by_default, 0, sizeof none);
    clone_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none);
    clone_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
    /* Without a tracer it would not stop. */
    if (clone_call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == 0)
        clone_call(SYS_execve, (long)SHELL, (long)(char *[]){PARKED_NAME, NULL}, (long)(char *[]){NULL}, 0);
    clone_call(SYS_exit_group, PARKED_FAILED, 0, 0, 0);
    __builtin_unreachable();
}

static void make_theirs(void) {
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    spare.parking = parking_make(&spare.theirs[PARKED_FD]);
    pipe_of(out, 0);
    pipe_of(err, 0);
    spare.theirs[0] = null_input();
    spare.theirs[1] = out[1];
    spare.theirs[2] = err[1];
    spare.out = out[0];
    spare.err = err[0];
}

/* They must lie above those they are to become. */
static bool has_theirs(void) {
    for (int fd = 0; fd <= PARKED_FD; fd++)
        if (spare.theirs[fd] <= PARKED_FD)
            return false;
    return true;
}

static void make(struct timer *timer) {
    (void)timer;
    if (spare.state != NONE || !park_is_possible() || !shell_file_look(&spare.file))
        return;
    make_theirs();
    spare.group = cgroup_take();
    spare.child.pid = -1;
    if (has_theirs())
        spare.child.pid = clone_beside(spare.group == NULL ? -1 : spare.group->directory, execute_shell);
    for (int fd = 1; fd <= PARKED_FD; fd++)
        close(spare.theirs[fd]);
    spare.state = STARTING;
    if (spare.child.pid > 0)
        children_add(&spare.child);
    else
        ended(NULL, 0);
}

void spare_begin(void) {
    timer_start(&spare.maker, 0);
}

/* While it has not begun, it has the name of one that waits. */
static bool has_begun(pid_t pid) {
    char path[32], name[16] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, name, sizeof name - 1);
    if (fd >= 0)
        close(fd);
    return length <= 0 || strncmp(name, PARKED_NAME, strlen(PARKED_NAME)) != 0;
}

static void look_after(struct timer *timer) {
    (void)timer;
    parking_free(told.parking);
    told.parking = NULL;
    if (!has_begun(told.pid))
        kill(told.pid, SIGCONT);
}

static void tell(void) {
    struct parked_orders *orders = &spare.parking->orders;
    __atomic_store_n(&orders->given, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &orders->given, FUTEX_WAKE, 1, NULL, NULL, 0);
    parking_free(told.parking);
    told.pid = spare.child.pid;
    told.parking = spare.parking;
    timer_start(&told.timer, BEGUN_MS);
}

bool spare_run(const char *command, const struct env *env, const char *directory, struct spare_command *started) {
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    timer_start(&spare.maker, MAKE_AFTER_MS);
    if (spare.state != PARKED)
        return false;
    bool is_same = shell_file_is_same(&spare.file);
    if (is_same && !start_image_make(&spare.parking->orders, PARKED_ROOM, &spare.loaded, arguments, env->items, directory))
        return false;
    spare.state = NONE;
    children_remove(&spare.child);
    if (!is_same) {
        kill(spare.child.pid, SIGKILL);
        forget();
        return false;
    }
    tell();
    *started = (struct spare_command){spare.child.pid, spare.out, spare.err, spare.group};
    return true;
}
