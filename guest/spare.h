/* Shells that are started before they are needed, and become the next command. An emulated processor takes longer to start
 * a shell than to run a short command. */
#ifndef MACHINEN_SPARE_H
#define MACHINEN_SPARE_H

#include "cgroup.h"
#include "env.h"

#include <stdbool.h>
#include <sys/types.h>

/* A running command: the process (and session) id, our ends of its pipes, which do not block, and its group, or NULL.
 * Its standard input is /dev/null. */
struct spare_command {
    pid_t pid;
    int out, err;
    struct cgroup *group;
};

/* Have them ready soon; there are none outside of a machine of our own, or where a path may hang. */
void spare_begin(void);
/* There is time for it now. */
void spare_command_ended(void);
/* Whether the process of a spare_command, which has been killed and not yet reaped, had become the command. Somebody may kill
 * it in the moment in which it is told. */
bool spare_had_begun(pid_t pid);

/* Runs `sh -c` as root. False, and nothing has happened, when no spare is there that could do it. */
bool spare_run(const char *command, const struct env *env, const char *directory, struct spare_command *started);

#endif
