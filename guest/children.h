/* Reaps every child, ours and orphans, and tells who waits for it. */
#ifndef MACHINEN_CHILDREN_H
#define MACHINEN_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    /* `code`: exit status, or 128 + signal. Called once; the child is forgotten then. */
    void (*ended)(struct child *child, int code);
    /* It is traced, and a signal has stopped it; may be NULL when it is not. */
    void (*stopped)(struct child *child, int signal_number);
    void *owner;
    struct child *next;
};

/* Blocks SIGCHLD and watches it. `send` sends what is to be said of a child that has ended, before it is reaped. */
bool children_init(void (*send)(void));
void children_add(struct child *child);
/* Somebody else waits for the same process, or nobody. */
void children_remove(struct child *child);
/* Send to every process of the session; SIGKILL is repeated until none is left. */
void kill_session(pid_t session, int signal);

#endif
