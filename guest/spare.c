#include "spare.h"

#ifdef __x86_64__

#include "control.h"
#include "hanging-mounts.h"
#include "loop.h"
#include "spare-process.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    /* A command that runs shall have the processor first, one of many in a row no company, and copies made at once, which all
     * are to run their first command, the host's processors. */
    MAKE_AFTER_START_MS = 250,
    MAKE_AFTER_END_MS = 200,
    /* In a row: what is in the way will stay. */
    MOST_FAILURES = 3,
    /* A shell that needs longer to start does not come to an end of it. */
    MOST_WARMING_MS = 3000,
};

static void make(struct timer *timer);
static void stopped(struct child *child, int signal_number);
static void ended(struct child *child, int code);

/* The first that can do what is asked does it. */
static struct spare spares[] = {
    {.is_warm = true, .child = {.ended = ended, .stopped = stopped, .owner = &spares[0]}},
    {.child = {.ended = ended, .stopped = stopped, .owner = &spares[1]}},
};

enum { SPARES = sizeof spares / sizeof *spares };

static struct timer maker = {.fired = make};

/* What the last one had its orders in: to take it away at once would be in the way of what it does. */
static struct parking *used;

static void is_gone(struct spare *spare, bool failed) {
    spare_forget(spare);
    spare->failures = failed ? spare->failures + 1 : 0;
    spare->state = spare->failures == MOST_FAILURES ? SPARE_IMPOSSIBLE : SPARE_NONE;
}

static void ended(struct child *child, int code) {
    struct spare *spare = child->owner;
    (void)code;
    is_gone(spare, spare->state != SPARE_PARKED);
}

static void throw_away(struct spare *spare, bool failed) {
    kill(spare->child.pid, SIGKILL);
    children_remove(&spare->child);
    is_gone(spare, failed);
}

static void stopped(struct child *child, int signal_number) {
    struct spare *spare = child->owner;
    if (!spare_stopped(spare, signal_number))
        throw_away(spare, true);
    if (spare->state != SPARE_LOADING && spare->state != SPARE_WARMING)
        timer_start(&maker, 0);
}

static bool is_outdated(const struct spare *spare) {
    return spare->is_warm && spare->state == SPARE_PARKED && !env_is_same(&spare->env, &base_env);
}

static bool takes_for_ever(const struct spare *spare) {
    return spare->state == SPARE_WARMING && monotonic_ms() - spare->since_ms > MOST_WARMING_MS;
}

/* One after the other. */
static void make(struct timer *timer) {
    (void)timer;
    parking_free(used);
    used = NULL;
    if (!control_owns_machine || mounts_may_hang())
        return;
    for (struct spare *spare = spares; spare < spares + SPARES; spare++) {
        if (is_outdated(spare) || takes_for_ever(spare))
            throw_away(spare, spare->state == SPARE_WARMING);
        if (spare->state == SPARE_NONE)
            spare_start(spare);
        if (spare->state == SPARE_LOADING || spare->state == SPARE_WARMING) {
            timer_start(&maker, MOST_WARMING_MS + 1);
            return;
        }
    }
}

void spare_begin(void) {
    timer_start(&maker, 0);
}

bool spare_had_begun(pid_t pid) {
    char path[40], name[sizeof PARKED_NAME] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, name, sizeof name - 1);
    if (fd >= 0)
        close(fd);
    return length < 0 || strcmp(name, PARKED_NAME) != 0;
}

void spare_command_ended(void) {
    timer_start(&maker, MAKE_AFTER_END_MS);
}

/* Somebody may have killed or stopped it. */
static bool is_fit(const struct spare *spare) {
    siginfo_t change = {.si_pid = 0};
    return waitid(P_PID, (id_t)spare->child.pid, &change, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           change.si_pid == 0 && seen_files_are_same(&spare->seen);
}

static void tell(struct spare *spare) {
    struct parked_orders *orders = &spare->parking->orders;
    __atomic_store_n(&orders->given, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &orders->given, FUTEX_WAKE, 1, NULL, NULL, 0);
    parking_free(used);
    used = spare->parking;
}

bool spare_run(const char *command, const struct env *env, const char *directory, struct spare_command *started) {
    timer_start(&maker, MAKE_AFTER_START_MS);
    for (struct spare *spare = spares; spare < spares + SPARES; spare++) {
        if (spare->state != SPARE_PARKED || !spare_orders(spare, command, env, directory))
            continue;
        if (!is_fit(spare)) {
            throw_away(spare, false);
            continue;
        }
        spare->state = SPARE_NONE;
        spare->failures = 0;
        children_remove(&spare->child);
        tell(spare);
        *started = (struct spare_command){spare->child.pid, spare->out, spare->err, spare->group};
        return true;
    }
    return false;
}

#else

void spare_begin(void) {}
void spare_command_ended(void) {}

bool spare_had_begun(pid_t pid) {
    (void)pid;
    return true;
}

bool spare_run(const char *command, const struct env *env, const char *directory, struct spare_command *started) {
    (void)command, (void)env, (void)directory, (void)started;
    return false;
}
#endif
