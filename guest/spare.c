#include "spare.h"

#include "clone.h"
#include "control.h"
#include "loop.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A command that has just been started shall have the processor first, and one of many in a row no company. */
enum { MAKE_AFTER_MS = 250 };

static void make(struct timer *timer);

static struct {
    /* Zero when it has become a program, or has ended: the kernel clears it and wakes who waits for that. */
    pid_t alive;
    uint32_t wanted;
    void (*run)(void *context);
    void *context;
    struct cgroup *group;
    struct timer maker;
} spare = {.maker = {.fired = make}};

/* Not the C library's: while the spare waits it must not touch `errno`, which it shares with us. */
static long futex(void *word, int operation, uint32_t value, const struct timespec *longest) {
    return clone_call(SYS_futex, (long)word, operation, (long)value, (long)longest);
}

/* Somebody may have stopped every process of the machine but us. */
static void wait_until_gone(pid_t pid) {
    static const struct timespec second = {.tv_sec = 1};
    while (__atomic_load_n(&spare.alive, __ATOMIC_ACQUIRE) == pid)
        if (futex(&spare.alive, FUTEX_WAIT, (uint32_t)pid, &second) == -ETIMEDOUT)
            kill(pid, SIGCONT);
}

_Noreturn static void wait_until_wanted(void *context) {
    (void)context;
    prctl(PR_SET_NAME, SPARE_NAME);
    if (!control_owns_machine)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    while (__atomic_load_n(&spare.wanted, __ATOMIC_ACQUIRE) == 0)
        futex(&spare.wanted, FUTEX_WAIT, 0, NULL);
    if (!control_owns_machine)
        prctl(PR_SET_PDEATHSIG, 0);
    if (unshare(CLONE_FS | CLONE_FILES) != 0)
        _exit(127);
    spare.run(spare.context);
    _exit(127);
}

static void make(struct timer *timer) {
    (void)timer;
    if (__atomic_load_n(&spare.alive, __ATOMIC_ACQUIRE) != 0)
        return;
    if (spare.group == NULL)
        spare.group = cgroup_take();
    spare.wanted = 0;
    clone_beside(spare.group == NULL ? -1 : spare.group->directory, &spare.alive, wait_until_wanted);
}

void spare_begin(void) {
    timer_start(&spare.maker, 0);
}

pid_t spare_use(void (*run)(void *context), void *context, struct cgroup **group) {
    pid_t pid = __atomic_load_n(&spare.alive, __ATOMIC_ACQUIRE);
    timer_start(&spare.maker, MAKE_AFTER_MS);
    if (pid == 0)
        return 0;
    spare.run = run;
    spare.context = context;
    __atomic_store_n(&spare.wanted, 1, __ATOMIC_RELEASE);
    futex(&spare.wanted, FUTEX_WAKE, 1, NULL);
    wait_until_gone(pid);
    *group = spare.group;
    spare.group = NULL;
    return pid;
}
