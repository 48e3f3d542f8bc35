/* The system calls of a program's start that come out the same whatever the program is to do: what they ask depends on
 * nothing but the machine, and on files that can be looked at again. */
#ifndef MACHINEN_START_CALLS_H
#define MACHINEN_START_CALLS_H

#ifdef __x86_64__

#include "seen-files.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>

/* The process is about to make the call in these registers. A file that is looked at by it is added to `seen`. */
bool is_start_call(const struct user_regs_struct *call, pid_t pid, struct seen_files *seen);

#endif
#endif
