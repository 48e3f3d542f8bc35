#include "exclude.h"

#include <fnmatch.h>

static bool matches(const char *pattern, const char *path) {
    if (fnmatch(pattern, path, FNM_LEADING_DIR) == 0)
        return true;
    for (; *path != '\0'; path++)
        if (*path == '/' && path[1] != '/' && path[1] != '\0' && fnmatch(pattern, path + 1, FNM_LEADING_DIR) == 0)
            return true;
    return false;
}

bool is_excluded(const struct excludes *excludes, const char *path) {
    for (size_t i = 0; i < excludes->count; i++)
        if (matches(excludes->patterns[i], path))
            return true;
    return false;
}
