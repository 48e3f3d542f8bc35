/* What the two halves of a command share: its life (exec.c) and its output (exec-output.c). */
#ifndef MACHINEN_EXEC_INTERNAL_H
#define MACHINEN_EXEC_INTERNAL_H

#include "children.h"
#include "exec.h"
#include "loop.h"

/* Exit codes above are those of signals. */
enum { KILLED = 128 };

/* One of the command's output pipes. */
struct output {
    struct watch watch;
    char type;
    uint64_t since_ms;
    size_t since; /* bytes */
    struct timer pause;
    int left; /* after the exit: what was in the pipe at that moment */
};

struct exec {
    struct client *client; /* NULL: it left, or the command has ended */
    struct child child;
    struct cgroup *group; /* NULL: the session is all we know of */
    struct watch input;
    struct output outputs[2];
    bool exited;
    int code;
    /* While a spare process runs it, which may have been killed before it began. */
    struct exec_options again;
};

/* Frees a command that has ended, and of which nothing is left to be read or told. */
void exec_free_if_over(struct exec *exec);
/* Takes over the ends of the pipes, also when it fails. */
bool exec_watch_outputs(struct exec *exec, int out, int err);
/* Reads on, or not, as the client can take. */
void exec_update_watches(struct exec *exec);
/* After the command's end: what is in its pipes, as far as the client takes it, and then the exit. */
void exec_drain(struct exec *exec);

#endif
