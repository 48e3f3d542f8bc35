#include "spare-process.h"

#ifdef __x86_64__

#include "clone.h"
#include "hanging-mounts.h"
#include "loop.h"
#include "pipes.h"
#include "start-image.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Its control group may be frozen: PID 1 has more to do than to wait. */
enum { PATIENCE_MS = 1000 };

/* What the process needs until it has executed the shell: it works in our memory. One at a time. */
static struct {
    int fds[PARKED_FD + 1];
    char *arguments[4], **environment;
} theirs;

_Noreturn static void execute_shell(void *context) {
    static const struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } by_default;
    static const uint64_t none;
    (void)context;
    /* The C library keeps things in our memory: it must be left alone. */
    clone_call(SYS_prctl, PR_SET_NAME, (long)PARKED_NAME, 0, 0);
    clone_call(SYS_setsid, 0, 0, 0, 0);
    for (int fd = 0; fd <= PARKED_FD; fd++)
        clone_call(SYS_dup2, theirs.fds[fd], fd, 0, 0);
    clone_call(SYS_close_range, PARKED_FD + 1, ~0u, 0, 0);
    clone_call(SYS_rt_sigaction, SIGPIPE, (long)&by_default, 0, sizeof none);
    clone_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none);
    /* Without a tracer it would not stop. */
    if (clone_call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == 0)
        clone_call(SYS_execve, (long)SHELL, (long)theirs.arguments, (long)theirs.environment, 0);
    clone_call(SYS_exit_group, PARKED_FAILED, 0, 0, 0);
    __builtin_unreachable();
}

/* One that is to be warm is given its environment and, for its command, room. The other is given both later. */
static bool make_arguments(struct spare *spare) {
    static char *none[] = {NULL};
    free(theirs.arguments[2]);
    memset(theirs.arguments, 0, sizeof theirs.arguments);
    theirs.arguments[0] = PARKED_NAME;
    theirs.environment = none;
    if (!spare->is_warm)
        return true;
    env_free(&spare->env);
    if (!env_copy(&spare->env, &base_env))
        return false;
    theirs.arguments[0] = "sh";
    theirs.arguments[1] = "-c";
    theirs.arguments[2] = warm_up_command(&spare->env);
    theirs.environment = spare->env.items == NULL ? none : spare->env.items;
    return theirs.arguments[2] != NULL;
}

static void make_descriptors(struct spare *spare) {
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    spare->parking = parking_make(&theirs.fds[PARKED_FD]);
    pipe_of(out, 0);
    pipe_of(err, 0);
    theirs.fds[0] = null_input();
    theirs.fds[1] = out[1];
    theirs.fds[2] = err[1];
    spare->out = out[0];
    spare->err = err[0];
}

/* They must lie above those they are to become. */
static bool has_descriptors(const struct spare *spare) {
    bool all = spare->parking != NULL;
    for (int fd = 0; fd <= PARKED_FD; fd++)
        all = all && theirs.fds[fd] > PARKED_FD;
    return all;
}

void spare_start(struct spare *spare) {
    if (!park_is_possible() || !seen_files_of_shell(&spare->seen) || !make_arguments(spare))
        return;
    make_descriptors(spare);
    spare->group = cgroup_take();
    spare->child.pid = -1;
    if (has_descriptors(spare))
        spare->child.pid = clone_beside(spare->group == NULL ? -1 : spare->group->directory, execute_shell);
    for (int fd = 1; fd <= PARKED_FD; fd++)
        close(theirs.fds[fd]);
    if (spare->child.pid < 0) {
        spare_forget(spare);
        return;
    }
    spare->state = SPARE_LOADING;
    spare->since_ms = monotonic_ms();
    children_add(&spare->child);
}

static bool has_loaded(struct spare *spare) {
    if (mounts_may_hang() || !seen_files_shell_is_of(&spare->seen, spare->child.pid) ||
        !tracee_look(&spare->tracee, spare->child.pid, PATIENCE_MS) || !park_prepare(&spare->tracee))
        return false;
    spare->state = spare->is_warm ? SPARE_WARMING : SPARE_PARKED;
    return spare->is_warm ? warm_up_begin(&spare->warm, &spare->tracee) : park(&spare->tracee);
}

static bool has_gone_on(struct spare *spare) {
    if (mounts_may_hang())
        return false;
    enum warm_up_state state = warm_up_step(&spare->warm, &spare->tracee, &spare->seen);
    if (state == WARM_UP_DONE)
        spare->state = SPARE_PARKED;
    return state == WARM_UP_GOES_ON || (state == WARM_UP_DONE && park(&spare->tracee));
}

bool spare_stopped(struct spare *spare, int signal_number) {
    bool warming = spare->state == SPARE_WARMING;
    if (signal_number == (warming ? SYSTEM_CALL_STOP : SIGTRAP))
        return warming ? has_gone_on(spare) : has_loaded(spare);
    /* It tried to read what it cannot yet know. */
    if (signal_number == SIGSEGV)
        return false;
    return ptrace(warming ? PTRACE_SYSCALL : PTRACE_CONT, spare->child.pid, 0, signal_number) == 0;
}

bool spare_orders(struct spare *spare, const char *command, const struct env *env, const char *directory) {
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    if (spare->is_warm)
        return env_is_same(&spare->env, env) &&
               warm_up_orders(&spare->warm, &spare->tracee, &spare->parking->orders, command, directory);
    return start_image_make(spare->parking, &spare->tracee, arguments, env->items, directory);
}

void spare_forget(struct spare *spare) {
    close(spare->out);
    close(spare->err);
    parking_free(spare->parking);
    if (spare->group != NULL)
        cgroup_discard(spare->group);
    spare->parking = NULL;
    spare->group = NULL;
}
#endif
