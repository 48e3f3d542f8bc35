/* A command with pipes: runs as long as its client stays. */
#ifndef MACHINEN_EXEC_H
#define MACHINEN_EXEC_H

#include "client.h"
#include "spawn.h"

struct exec_options {
    const char *command; /* or, as in struct spawn: */
    int (*function)(void *);
    void *context;
    struct env env;
    const char *cwd;
    const struct user *user;
    const char *user_name;
    bool has_input;
    const char *id; /* NULL: it may be started again */
};

void exec_start(struct client *client, const struct exec_options *options);

#endif
