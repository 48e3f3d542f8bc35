/* One epoll loop: readiness of file descriptors and timers. */
#ifndef MACHINEN_LOOP_H
#define MACHINEN_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* Embedded in its owner; fd -1 means not watched. */
struct watch {
    int fd;
    uint32_t events;
    void (*ready)(struct watch *watch, uint32_t events);
    void *owner;
};

struct timer {
    uint64_t due_ms;
    void (*fired)(struct timer *timer);
    void *owner;
    struct timer *next;
    bool armed;
};

bool loop_init(void);
/* False: the descriptor cannot be watched. */
bool loop_add(struct watch *watch, uint32_t events);
void loop_want(struct watch *watch, uint32_t events);
/* Stop watching and close the descriptor. Safe inside any callback. */
void loop_close(struct watch *watch);

void timer_start(struct timer *timer, unsigned ms);
void timer_stop(struct timer *timer);

/* Waits for and serves one batch of events. */
void loop_once(void);
uint64_t monotonic_ms(void);

#endif
