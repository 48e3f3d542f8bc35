#include "tsc.h"

#ifdef __x86_64__
#include <time.h>
#include <x86intrin.h>

#define MEASURED_NS 20000000u
/* Somebody else may get the processor between a look at one clock and one at the other. */
#define TRIES 16

static uint64_t raw_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct tsc_moment tsc_now(void) {
    struct tsc_moment best = {0, 0};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = __rdtsc(), ns = raw_ns(), after = __rdtsc();
        if (after - before < least) {
            least = after - before;
            best = (struct tsc_moment){ns, before + (after - before) / 2};
        }
    }
    return best;
}

uint64_t tsc_khz_since(struct tsc_moment since) {
    struct tsc_moment now = tsc_now();
    while (now.ns - since.ns < MEASURED_NS) {
        struct timespec rest = {0, (long)(MEASURED_NS - (now.ns - since.ns))};
        nanosleep(&rest, NULL);
        now = tsc_now();
    }
    return (uint64_t)((double)(now.ticks - since.ticks) * 1000000 / (double)(now.ns - since.ns));
}

#else

struct tsc_moment tsc_now(void) {
    return (struct tsc_moment){0, 0};
}

uint64_t tsc_khz_since(struct tsc_moment since) {
    (void)since;
    return 0;
}

#endif
