#include "spare.h"

#include "children.h"
#include "clone.h"
#include "control.h"
#include "hanging-mounts.h"
#include "loop.h"
#include "park.h"
#include "pipes.h"
#include "shell-file.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    /* A command that has just been started shall have the processor first, and one of many in a row no company. */
    MAKE_AFTER_MS = 250,
    /* In a row: what is in the way will stay. */
    MOST_FAILURES = 3,
};

static void make(struct timer *timer);
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
    unsigned failures;
    struct timer maker;
} spare = {.child = {.ended = ended, .stopped = stopped}, .maker = {.fired = make}};

/* Where the last one that was used has its orders: it may be about to read them. */
static struct parking *used;

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

static void throw_away(void) {
    kill(spare.child.pid, SIGKILL);
    children_remove(&spare.child);
    forget();
    spare.state = NONE;
}

static void stopped(struct child *child, int signal_number) {
    if (signal_number != SIGTRAP) {
        ptrace(PTRACE_CONT, child->pid, 0, signal_number);
        return;
    }
    if (!mounts_may_hang() && shell_file_is_of(&spare.file, child->pid) && park(child->pid, &spare.loaded)) {
        spare.state = PARKED;
        spare.failures = 0;
        return;
    }
    throw_away();
    if (++spare.failures == MOST_FAILURES)
        spare.state = IMPOSSIBLE;
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
    clone_call(SYS_prctl, PR_SET_NAME, (long)PARKED_NAME, 0, 0);
    clone_call(SYS_setsid, 0, 0, 0, 0);
    for (int fd = 0; fd <= PARKED_FD; fd++)
        clone_call(SYS_dup2, spare.theirs[fd], fd, 0, 0);
    clone_call(SYS_close_range, PARKED_FD + 1, ~0u, 0, 0);
    clone_call(SYS_rt_sigaction, SIGPIPE, (long)&by_default, 0, sizeof none);
    clone_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none);
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
    bool all = spare.parking != NULL;
    for (int fd = 0; fd <= PARKED_FD; fd++)
        all = all && spare.theirs[fd] > PARKED_FD;
    return all;
}

static void make(struct timer *timer) {
    (void)timer;
    parking_free(used);
    used = NULL;
    if (!control_owns_machine || spare.state != NONE || mounts_may_hang() || !park_is_possible() || !shell_file_look(&spare.file))
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

/* Somebody may have killed or stopped it. */
static bool is_fit(void) {
    siginfo_t change = {.si_pid = 0};
    return waitid(P_PID, (id_t)spare.child.pid, &change, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           change.si_pid == 0 && shell_file_is_same(&spare.file);
}

static void tell(void) {
    struct parked_orders *orders = &spare.parking->orders;
    __atomic_store_n(&orders->given, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &orders->given, FUTEX_WAKE, 1, NULL, NULL, 0);
    parking_free(used);
    used = spare.parking;
}

bool spare_run(const char *command, const struct env *env, const char *directory, struct spare_command *started) {
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    timer_start(&spare.maker, MAKE_AFTER_MS);
    if (spare.state == PARKED && !is_fit())
        throw_away();
    if (spare.state != PARKED ||
        !start_image_make(&spare.parking->orders, PARKED_ROOM, &spare.loaded, arguments, env->items, directory))
        return false;
    spare.state = NONE;
    children_remove(&spare.child);
    tell();
    *started = (struct spare_command){spare.child.pid, spare.out, spare.err, spare.group};
    return true;
}
