/* Lets a shell do what it does whatever its command is, and stops it before anything that could depend on the command: on
 * its text, its directory, the host's name, the time. What it could not see cannot have changed what it did.
 * (There is one more clock, the processor's counter. Nobody tells the time by it alone.) */
#ifndef MACHINEN_WARM_UP_H
#define MACHINEN_WARM_UP_H

#ifdef __x86_64__

#include "env.h"
#include "park.h"
#include "seen-files.h"

#include <stdbool.h>

/* A stop before or after a system call: SIGTRAP with the mark of PTRACE_O_TRACESYSGOOD. */
enum { SYSTEM_CALL_STOP = 0x85 };

struct warm_up {
    uint64_t text; /* where the command is to be in the process, at the start of a page */
    struct {
        uint64_t start, length;
    } clock; /* what the kernel tells it the time by */
    uint64_t name; /* where it wants its name, while it asks for it */
    unsigned steps;
};

/* Stands for the command until that is known, so that there is room for it where the kernel puts the arguments of a program
 * with this environment. To be freed; NULL when memory is short. */
char *warm_up_command(const struct env *env);

/* The process stands before its first instruction. False: it is to be ended, and so it is below. */
bool warm_up_begin(struct warm_up *warm, const struct tracee *tracee);

enum warm_up_state { WARM_UP_GOES_ON, WARM_UP_DONE, WARM_UP_FAILED };

/* After a SYSTEM_CALL_STOP. When it is done, `tracee` is where it is to go on. */
enum warm_up_state warm_up_step(struct warm_up *warm, struct tracee *tracee, struct seen_files *seen);

/* Orders to go on with this command in this directory. False when either is too long. */
bool warm_up_orders(const struct warm_up *warm, const struct tracee *tracee, struct parked_orders *orders,
                    const char *command, const char *directory);

#endif
#endif
