/* The one poll loop: descriptors with callbacks, signals, one slow tick. */
#ifndef MACHINEN_LOOP_H
#define MACHINEN_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct watch;
typedef void (*ready_fn)(void *context, short events);

/* NULL when the table is full. `events` of 0 leaves the descriptor out; POLLHUP alone waits for a hang-up. */
struct watch *watch_add(int fd, short events, ready_fn ready, void *context);
void watch_events(struct watch *watch, short events);
/* Safe inside any callback. Does not close the descriptor. */
void watch_remove(struct watch *watch);

/* Blocks SIGTERM, SIGINT, SIGHUP, SIGCHLD and SIGIO, ignores SIGPIPE and the terminal's stop signals. */
bool signals_open(void);
/* Undoes signals_open() in a child that is about to become another program. */
void signals_restore(void);
/* The child whose end ends the machine; file servers come and go without it. */
void loop_main_child(pid_t pid);
/* A signal that ends the machine, or its child's end, is waiting: long work should give up. */
bool loop_interrupted(void);
/* Waits for one descriptor outside the loop. False on timeout (errno ETIMEDOUT) or interrupt (EINTR). */
bool wait_ready(int fd, short events, int timeout_ms);
/* The same, but false (ECONNRESET) when the peer of `connection` (-1: none) hangs up. */
bool wait_either(int fd, short events, int connection, int timeout_ms);

/*
 * `before_wait` runs before every wait, `tick` about once a second, `signalled` per signal. `also` says what
 * else to wait for this once, returns how many that are and may shorten the time; `came` is told what of it
 * came, with 0 of them when nothing can be told.
 */
struct loop_hooks {
    void (*before_wait)(void);
    void (*tick)(void);
    void (*signalled)(int signal);
    size_t (*also)(struct pollfd *fds, size_t room, int *timeout_ms);
    void (*came)(const struct pollfd *fds, size_t count);
};
/* Runs until loop_stop(); returns what it was given. */
int loop_run(const struct loop_hooks *hooks);
void loop_stop(int status);

uint64_t now_us(void);

#endif
