/* Environment of the commands that the guest starts: a list of KEY=VALUE. */
#ifndef MACHINEN_ENV_H
#define MACHINEN_ENV_H

#include <stdbool.h>
#include <stddef.h>

struct env {
    char **items; /* NULL at the end, or NULL when empty */
    size_t count;
};

/* What every command gets: defaults, the configuration's, the secrets. */
extern struct env base_env;

/* Replaces an older value. False when `item` is no KEY=VALUE or memory is short. */
bool env_set(struct env *env, const char *item);
const char *env_get(const struct env *env, const char *key);
bool env_copy(struct env *to, const struct env *from);
/* The same items in the same order. */
bool env_is_same(const struct env *one, const struct env *other);
void env_free(struct env *env);
/* The defaults; later settings replace them. */
void env_init(struct env *env);
bool is_shell_identifier(const char *text, size_t length);

#endif
