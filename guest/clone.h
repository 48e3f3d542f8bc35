/* Children that start as members of a control group: moving them there later would stop all of the
 * machine's forks for a grace period of the kernel. */
#ifndef MACHINEN_CLONE_H
#define MACHINEN_CLONE_H

#include <stdbool.h>
#include <sys/types.h>

/* Runs `run` in the child, which must not return. With `may_wait` the child uses the parent's memory
 * and the parent waits until it executes a program or ends, as with vfork(). -1 with errno. */
pid_t clone_into(int cgroup, bool may_wait, void (*run)(void *context), void *context);

/* The same, but nobody waits: `run` works beside the parent, in its memory, with descriptors of its own, until it
 * executes a program or ends. One at a time; without a group when that is -1. -1 with errno, also where it cannot be done. */
pid_t clone_beside(int cgroup, void (*run)(void *context));

/* A system call that leaves `errno` alone: its result, or minus the error. */
long clone_call(long number, long first, long second, long third, long fourth);

#endif
