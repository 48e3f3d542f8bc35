/* Waiting for one thing while something else has happened. */
#include "tests.h"
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static int announced;

static void nothing(void) {}

static size_t no_others(struct pollfd *fds, size_t room, int *timeout_ms) {
    (void)fds, (void)room, (void)timeout_ms;
    return 0;
}

static void none_came(const struct pollfd *fds, size_t count) {
    (void)fds, (void)count;
}

static void signalled(int signal) {
    announced += signal == SIGIO;
    loop_stop(7);
}

/* Somebody who waits for a lease must not keep a wait from ending in time, and is not forgotten. */
void test_lease_signal(void) {
    static const struct loop_hooks hooks = {nothing, nothing, signalled, no_others, none_came};
    int ends[2];
    alarm(20);
    CHECK(pipe(ends) == 0 && signals_open() && kill(getpid(), SIGIO) == 0);
    CHECK(!wait_ready(ends[0], POLLIN, 50) && errno == ETIMEDOUT);
    CHECK(!loop_interrupted() && announced == 0);
    CHECK(loop_run(&hooks) == 7 && announced == 1);
    close(ends[0]);
    close(ends[1]);
}
