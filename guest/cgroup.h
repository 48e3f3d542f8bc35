/* Control groups, one for each running command: who is in one can be killed however often it forked,
 * whatever session it made for itself. */
#ifndef MACHINEN_CGROUP_H
#define MACHINEN_CGROUP_H

#include <stdbool.h>

struct cgroup {
    int directory; /* for CLONE_INTO_CGROUP */
    unsigned number;
    struct cgroup *next;
};

/* Only in a machine of our own: on a host the groups are somebody else's. */
void cgroups_init(void);

/* A group without members, or NULL where there are none to be had. */
struct cgroup *cgroup_take(void);

/* SIGKILL to every member, at once and also to those that are forking. */
void cgroup_kill(const struct cgroup *group);

/* What is still in it goes on. */
void cgroup_release(struct cgroup *group);
/* The same, and nothing else shall be started in it: a process of it was killed, and the group may have been frozen. */
void cgroup_discard(struct cgroup *group);

#endif
