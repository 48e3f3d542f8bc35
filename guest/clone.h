/* A child that starts as a member of a control group: moving it there later would stop all of the
 * machine's forks for a grace period of the kernel. */
#ifndef MACHINEN_CLONE_H
#define MACHINEN_CLONE_H

#include <stdbool.h>
#include <sys/types.h>

/* Runs `run` in the child, which must not return. With `may_wait` the child uses the parent's memory
 * and the parent waits until it executes a program or ends, as with vfork(). -1 with errno. */
pid_t clone_into(int cgroup, bool may_wait, void (*run)(void *context), void *context);

#endif
