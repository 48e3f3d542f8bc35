#include "cgroup-memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The two kinds of hierarchy call the same things by other names. */
struct names {
    const char *limit, *usage, *cached[2];
};
static const struct names version1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", {"total_active_file", "total_inactive_file"}};
static const struct names version2 = {"memory.max", "memory.current", {"active_file", "inactive_file"}};

/* "max" is no number: no limit. */
static bool read_number(const char *group, const char *name, uint64_t *number) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", group, name);
    FILE *file = fopen(path, "re");
    bool ok = file && fscanf(file, "%" SCNu64, number) == 1;
    if (file) {
        fclose(file);
    }
    return ok;
}

/* What the kernel gives up before it kills for want of memory. */
static uint64_t cached_bytes(const char *group, const struct names *names) {
    char path[PATH_MAX + 64], line[128], name[64];
    uint64_t bytes = 0, number;
    snprintf(path, sizeof path, "%s/memory.stat", group);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%63s %" SCNu64, name, &number) == 2 &&
            (strcmp(name, names->cached[0]) == 0 || strcmp(name, names->cached[1]) == 0)) {
            bytes += number;
        }
    }
    if (file) {
        fclose(file);
    }
    return bytes;
}

static uint64_t left_in(const char *group, const struct names *names) {
    uint64_t limit, usage;
    if (!read_number(group, names->limit, &limit) || !read_number(group, names->usage, &usage)) {
        return UINT64_MAX;
    }
    uint64_t cached = cached_bytes(group, names), held = usage > cached ? usage - cached : 0;
    return limit > held ? limit - held : 0;
}

/* From the group itself up to the top of what is mounted, which in a container is its own group. */
static uint64_t left_in_hierarchy(const char *top, const char *path, const struct names *names) {
    char group[PATH_MAX];
    uint64_t least = UINT64_MAX;
    size_t end = strlen(top);
    snprintf(group, sizeof group, "%s%s", top, path);
    for (;;) {
        uint64_t left = left_in(group, names);
        char *slash = strrchr(group, '/');
        least = left < least ? left : least;
        if (!slash || slash < group + end) {
            return least;
        }
        *slash = 0;
    }
}

static bool holds_memory(const char *controllers) {
    for (const char *word = controllers; *word; word += strcspn(word, ",") + (word[strcspn(word, ",")] == ',')) {
        if (strncmp(word, "memory", 6) == 0 && (word[6] == 0 || word[6] == ',')) {
            return true;
        }
    }
    return false;
}

uint64_t cgroup_available(const char *groups, const char *mount) {
    char line[PATH_MAX], top[PATH_MAX];
    uint64_t least = UINT64_MAX;
    FILE *file = fopen(groups, "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) {
            continue;
        }
        *path++ = 0;
        bool second = controllers[1] == 0;
        if (!second && !holds_memory(controllers + 1)) {
            continue;
        }
        snprintf(top, sizeof top, "%s%s", mount, second ? "" : "/memory");
        uint64_t left = left_in_hierarchy(top, path, second ? &version2 : &version1);
        least = left < least ? left : least;
    }
    if (file) {
        fclose(file);
    }
    return least;
}
