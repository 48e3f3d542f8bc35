/* The rate of the processor's time stamp counter. */
#ifndef MACHINEN_TSC_H
#define MACHINEN_TSC_H

#include <stdint.h>

/* A moment by both clocks: the system's and the counter. */
struct tsc_moment {
    uint64_t ns, ticks;
};

struct tsc_moment tsc_now(void);
/* Its rate from that moment on, which is waited to be 20 ms ago; 0 when there is no counter. */
uint64_t tsc_khz_since(struct tsc_moment since);

#endif
