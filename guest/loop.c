#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MS_PER_S = 1000, NS_PER_MS = 1000000 };

static int epoll_fd = -1;
static struct epoll_event batch[BATCH];
static int batch_length;
static struct timer *timers;

uint64_t monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

bool loop_init(void) {
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return epoll_fd >= 0;
}

bool loop_add(struct watch *watch, uint32_t events) {
    watch->events = events;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

/* A descriptor nobody wants anything from leaves epoll, which would report its hang-up forever. */
void loop_want(struct watch *watch, uint32_t events) {
    if (watch->fd < 0 || watch->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int operation = events == 0 ? EPOLL_CTL_DEL : watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    epoll_ctl(epoll_fd, operation, watch->fd, &event);
    watch->events = events;
}

void loop_close(struct watch *watch) {
    if (watch->fd < 0)
        return;
    loop_want(watch, 0);
    close(watch->fd);
    watch->fd = -1;
    /* Its owner may be freed now: events already fetched must not reach it. */
    for (int i = 0; i < batch_length; i++)
        if (batch[i].data.ptr == watch)
            batch[i].data.ptr = NULL;
}

void timer_stop(struct timer *timer) {
    if (!timer->armed)
        return;
    timer->armed = false;
    for (struct timer **at = &timers; *at != NULL; at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            return;
        }
    }
}

void timer_start(struct timer *timer, unsigned ms) {
    timer_stop(timer);
    timer->due_ms = monotonic_ms() + ms;
    timer->armed = true;
    struct timer **at = &timers;
    while (*at != NULL && (*at)->due_ms <= timer->due_ms)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

static int ms_to_next_timer(void) {
    if (timers == NULL)
        return -1;
    uint64_t now = monotonic_ms();
    return timers->due_ms <= now ? 0 : (int)(timers->due_ms - now);
}

static void fire_timers(void) {
    uint64_t now = monotonic_ms();
    while (timers != NULL && timers->due_ms <= now) {
        struct timer *timer = timers;
        timer_stop(timer);
        timer->fired(timer);
    }
}

void loop_once(void) {
    int count = epoll_wait(epoll_fd, batch, BATCH, ms_to_next_timer());
    batch_length = count > 0 ? count : 0;
    for (int i = 0; i < batch_length; i++) {
        struct watch *watch = batch[i].data.ptr;
        /* Whoever wants nothing any more is not to be told what was fetched before. */
        if (watch != NULL && watch->events != 0)
            watch->ready(watch, batch[i].events);
    }
    batch_length = 0;
    fire_timers();
}
