/* How much memory the control groups of this process leave it: in a container the host's own figure says nothing. */
#ifndef MACHINEN_CGROUP_MEMORY_H
#define MACHINEN_CGROUP_MEMORY_H

#include <stdint.h>

/*
 * The least that any of the groups still allows, caches of files not counted; UINT64_MAX without a limit. `groups` is
 * /proc/self/cgroup, `mount` where the hierarchies are (/sys/fs/cgroup).
 */
uint64_t cgroup_available(const char *groups, const char *mount);

#endif
