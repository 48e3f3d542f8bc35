/*
 * Host directories that the guest sees live. Each has a file server of its own, a child process with few rights
 * (livemount-serve.c), whose messages travel over one stream to a port of the agent.
 */
#ifndef MACHINEN_LIVEMOUNT_H
#define MACHINEN_LIVEMOUNT_H

#include "error.h"

#include <stdbool.h>
#include <sys/types.h>

#define MAX_LIVE_MOUNTS 16

/* `list`: JSON, `[{"port":2000,"host":"/path","mode":"rw"},...]`; NULL: none. Servers wait until the guest is there. */
bool live_mounts_start(const char *list, struct error *error);
void live_mounts_end(void);
/* The first one's file server; 0: there is none. */
pid_t live_mounts_first(void);

/* Before a capture: no request may be half-way. Asks the servers to come to rest; without effect when they were asked. */
void live_mounts_pause(void);
enum live_rest { LIVE_AT_REST, LIVE_COMING_TO_REST, LIVE_RESTLESS };
/* Restless: the guest has not let go within ten seconds. */
enum live_rest live_mounts_rest(void);
/* Go on; without effect when nothing was paused. */
void live_mounts_go(void);

#endif
