/* Has a stopped process that we trace make system calls of ours. */
#ifndef MACHINEN_TRACEE_H
#define MACHINEN_TRACEE_H

#ifdef __x86_64__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

struct tracee {
    pid_t pid;
    uint64_t patience_ms; /* with each of its steps */
    struct user_regs_struct start; /* where it stood when we looked */
    uint64_t system_call;          /* the address of such an instruction */
    uint64_t vdso;
    uint64_t auxiliary[2 * 32];
    size_t auxiliary_words; /* with the pair of zeros at the end */
};

/* What is to be known of a process that has just executed a program. False when it is like none we know. */
bool tracee_look(struct tracee *tracee, pid_t pid, uint64_t patience_ms);

/* `words` are the number of the call and its first five arguments. The registers are lost. False when the process has not
 * come back from it with `expected`; it may have ended then, which is left to who reaps. */
bool tracee_call(const struct tracee *tracee, const uint64_t *words, uint64_t expected);

bool tracee_read(pid_t pid, uint64_t address, void *to, size_t length);
bool tracee_write(pid_t pid, uint64_t address, const void *from, size_t length);

/*
 * Lets it go on by `request`, or stops it (PTRACE_INTERRUPT), and waits until it has stopped. False when that was not what
 * stopped it, when it has ended, or has not stopped in time.
 */
bool tracee_step(pid_t pid, int request, uint64_t patience_ms);

#endif
#endif
