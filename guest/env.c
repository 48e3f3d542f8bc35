#include "env.h"

#include <stdlib.h>
#include <string.h>

struct env base_env;

static size_t key_length(const char *item) {
    const char *equals = strchr(item, '=');
    return equals == NULL ? 0 : (size_t)(equals - item);
}

static char **find(const struct env *env, const char *key, size_t length) {
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i], key, length) == 0 && env->items[i][length] == '=')
            return &env->items[i];
    return NULL;
}

bool env_set(struct env *env, const char *item) {
    size_t length = key_length(item);
    char *copy = length == 0 ? NULL : strdup(item);
    if (copy == NULL)
        return false;
    char **old = find(env, item, length);
    if (old != NULL) {
        free(*old);
        *old = copy;
        return true;
    }
    char **items = realloc(env->items, (env->count + 2) * sizeof *items);
    if (items == NULL) {
        free(copy);
        return false;
    }
    env->items = items;
    env->items[env->count++] = copy;
    env->items[env->count] = NULL;
    return true;
}

const char *env_get(const struct env *env, const char *key) {
    size_t length = strlen(key);
    char **item = find(env, key, length);
    return item == NULL ? NULL : *item + length + 1;
}

bool env_copy(struct env *to, const struct env *from) {
    *to = (struct env){.items = NULL};
    for (size_t i = 0; i < from->count; i++)
        if (!env_set(to, from->items[i]))
            return false;
    return true;
}

bool env_is_same(const struct env *one, const struct env *other) {
    bool same = one->count == other->count;
    for (size_t i = 0; same && i < one->count; i++)
        same = strcmp(one->items[i], other->items[i]) == 0;
    return same;
}

void env_free(struct env *env) {
    for (size_t i = 0; i < env->count; i++)
        free(env->items[i]);
    free(env->items);
    *env = (struct env){.items = NULL};
}

void env_init(struct env *env) {
    env_set(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    env_set(env, "HOME=/root");
}

bool is_shell_identifier(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return length > 0;
}
