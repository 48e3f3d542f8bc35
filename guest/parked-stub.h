/* What a parked process runs until it is told what to become. It lies in memory that we share with it: the process may
 * read and execute it, we write it. */
#ifndef MACHINEN_PARKED_STUB_H
#define MACHINEN_PARKED_STUB_H

#include <stdint.h>

/* Its name while it waits, for those who list processes. */
#define PARKED_NAME "machinen-spare"

enum { PARKED_FAILED = 127, PARKED_CALLS = 7, PARKED_CODE = 1024 };

/* A system call. `required`: the process ends when it fails. */
struct parked_call {
    uint64_t number, arguments[5], required;
};

struct parked_orders {
    uint32_t given; /* it waits (futex) until this is not zero, which is written last */
    uint32_t unused;
    struct parked_call calls[PARKED_CALLS];
    /* Then `words` words of `image` go to `stack - 8`; it goes on at the address that the first one is. */
    uint64_t stack, words;
    uint64_t image[];
};

#ifdef __x86_64__
/* Code that runs wherever it lies. R12 is the address of its orders. */
extern const uint8_t parked_stub[], parked_stub_end[];
#endif

#endif
