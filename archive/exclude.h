/* Which members are left out, by the rules of `tar --exclude`. */
#ifndef MACHINEN_EXCLUDE_H
#define MACHINEN_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>

struct excludes {
    const char *const *patterns;
    size_t count;
};

/* A pattern matches the path, any of its tails that start after a slash, and all below what it matches; `*` matches
 * slashes too. */
bool is_excluded(const struct excludes *excludes, const char *path);

#endif
