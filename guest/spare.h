/* A process made before it is needed: it becomes the next command. */
#ifndef MACHINEN_SPARE_H
#define MACHINEN_SPARE_H

#include "cgroup.h"

#include <sys/types.h>

/* Its name while it waits, for those who list processes. */
#define SPARE_NAME "machinen-spare"

/* Have one ready soon; does nothing where there is none to be had. */
void spare_begin(void);

/* The spare runs `run`, which must not return, in our memory and with descriptors of its own; returns when it has
 * executed a program or ended. Its process id, and the group it is a member of; 0 when there is no spare. */
pid_t spare_use(void (*run)(void *context), void *context, struct cgroup **group);

#endif
