/* What a parked process runs until it is told what to become. It lies in memory that we share with it: the process may
 * read and execute it, we write it. */
#ifndef MACHINEN_PARKED_STUB_H
#define MACHINEN_PARKED_STUB_H

#include <stdint.h>

/* Its name while it waits, for those who list processes. */
#define PARKED_NAME "machinen-spare"
/* What its arguments begin with, and its name is that of the shell, between the moment in which it executes the shell and the
 * one in which we see that it has. */
#define PARKED_ARGUMENTS "sh\0-c\0" PARKED_NAME " "

enum { PARKED_FAILED = 127, PARKED_CALLS = 7, PARKED_CODE = 1024 };

/* A system call. `required`: the process ends when it fails. */
struct parked_call {
    uint64_t number, arguments[5], required;
};

/* As the stub loads them; the others are zero. */
struct parked_registers {
    uint64_t rax, rbx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r12, r13, r14, r15, rip;
};

struct parked_orders {
    uint32_t given; /* it waits (futex) until this is not zero, which is written last */
    uint32_t call_count;
    struct parked_call calls[PARKED_CALLS];
    /* Then `words` words of `image` go to `target`, and it goes on with these registers. */
    struct parked_registers registers;
    uint64_t target, words;
    uint64_t image[];
};

#ifdef __x86_64__
/* Code that runs wherever it lies, its orders PARKED_CODE bytes further on. */
extern const uint8_t parked_stub[], parked_stub_end[];
#endif

#endif
