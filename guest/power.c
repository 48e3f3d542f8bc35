#include "power.h"

#include "agent.h"
#include "fuse-relay.h"
#include "loop.h"
#include "mounts.h"

#include <errno.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 2000, AFTER_KILL_MS = 500, LOOK_EVERY_MS = 50 };

static void nothing(struct timer *timer) {
    (void)timer;
}

/* Processes that end write back what they have mapped, which goes through us. */
static void serve_live_mounts(void) {
    static struct timer wake = {.fired = nothing};
    timer_start(&wake, LOOK_EVERY_MS);
    agent_flush();
    loop_once();
}

/* True when no process is left. Everything is our child sooner or later: orphans come to PID 1. */
static bool wait_for_all(unsigned ms) {
    uint64_t end = monotonic_ms() + ms;
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return true;
        if (pid > 0)
            continue;
        uint64_t now = monotonic_ms();
        if (now >= end)
            return false;
        if (live_mounts_any()) {
            serve_live_mounts();
            continue;
        }
        uint64_t left = end - now;
        struct timespec wait = {.tv_sec = (time_t)(left / 1000), .tv_nsec = (long)(left % 1000) * 1000000};
        sigtimedwait(&child_ended, NULL, &wait);
    }
}

/* Interactive shells ignore SIGTERM, and hang up. */
void power_off(void) {
    kill(-1, SIGTERM);
    kill(-1, SIGHUP);
    kill(-1, SIGCONT);
    if (!wait_for_all(GRACE_MS)) {
        kill(-1, SIGKILL);
        wait_for_all(AFTER_KILL_MS);
    }
    live_mounts_abandon();
    sync();
    unmount_all();
    reboot(RB_POWER_OFF);
    reboot(RB_AUTOBOOT);
    for (;;)
        pause();
}
