/* Starts a command in a session of its own. */
#ifndef MACHINEN_SPAWN_H
#define MACHINEN_SPAWN_H

#include "cgroup.h"
#include "env.h"
#include "spare.h"
#include "users.h"

#include <stdbool.h>
#include <sys/types.h>

struct spawn {
    const char *command;     /* for /bin/sh -c; or */
    char *const *arguments;  /* a program and its arguments; or */
    int (*function)(void *); /* of this program, its exit status in return */
    void *context;           /* for `function` */
    const struct env *env;   /* on top of base_env; may be NULL */
    const char *cwd;         /* NULL: the configured one, else HOME, else / */
    const struct user *user; /* NULL: root */
    int in, out, err;        /* the caller keeps and closes them */
    bool terminal;           /* `in` becomes the controlling terminal */
    struct cgroup **group;   /* it starts as the member of a group that is put here; may be NULL */
};

/* Where commands start that do not say. False when memory is short. */
bool set_default_cwd(const char *path);

/* The process (and session) id, or -1 with errno. A program that cannot be started exits with 127.
 * The group, which may be NULL all the same, is the caller's to release, also after a failure. */
pid_t spawn(const struct spawn *spawn);

/* The spare becomes this command, as root and without input. False: spawn() has to do it. */
bool spawn_spare(const char *command, const struct env *env, const char *cwd, struct spare_command *started);

#endif
