/* A process that has executed the shell and waits to be told what to run: how it is made, and what it then is told. */
#ifndef MACHINEN_SPARE_PROCESS_H
#define MACHINEN_SPARE_PROCESS_H

#ifdef __x86_64__

#include "cgroup.h"
#include "children.h"
#include "env.h"
#include "park.h"
#include "seen-files.h"
#include "warm-up.h"

#include <stdbool.h>

struct spare {
    enum spare_state { SPARE_NONE, SPARE_LOADING, SPARE_WARMING, SPARE_PARKED, SPARE_IMPOSSIBLE } state;
    /* It has started, as far as that does not depend on the command: with `env`, which no longer can be changed. */
    bool is_warm;
    struct env env;
    struct child child;
    struct tracee tracee;
    struct warm_up warm;
    struct seen_files seen;
    struct cgroup *group;
    struct parking *parking;
    int out, err; /* our ends */
    unsigned failures;
    uint64_t since_ms; /* its start */
};

/* Of a spare in the state NONE. Its child's callbacks are the caller's; the state is LOADING then, or still NONE. */
void spare_start(struct spare *spare);

/* It has been stopped by this signal. False: it is good for nothing, and to be ended. */
bool spare_stopped(struct spare *spare, int signal_number);

/* Puts down what it is told. False when it cannot do that. */
bool spare_orders(struct spare *spare, const char *command, const struct env *env, const char *directory);

/* Closes and frees what is ours of it. */
void spare_forget(struct spare *spare);

#endif
#endif
