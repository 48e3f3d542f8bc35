#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *read_name(struct names *names) {
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(names->directory);
    } while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    if (entry == NULL)
        names->error = errno;
    return entry == NULL ? NULL : entry->d_name;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool keep(struct names *names, size_t *room, const char *name) {
    if (names->count == *room) {
        size_t more = *room == 0 ? 64 : *room * 2;
        char **grown = realloc(names->sorted, more * sizeof *grown);
        if (grown == NULL)
            return false;
        names->sorted = grown;
        *room = more;
    }
    names->sorted[names->count] = strdup(name);
    return names->sorted[names->count] != NULL && ++names->count > 0;
}

static void sort(struct names *names) {
    size_t room = 0;
    const char *name;
    while ((name = read_name(names)) != NULL)
        if (!keep(names, &room, name)) {
            names->error = ENOMEM;
            return;
        }
    if (names->count > 0)
        qsort(names->sorted, names->count, sizeof *names->sorted, by_bytes);
}

bool names_open(struct names *names, int fd, bool sorted) {
    *names = (struct names){.directory = fdopendir(fd)};
    if (names->directory == NULL) {
        names->error = errno;
        close(fd);
        return false;
    }
    if (sorted)
        sort(names);
    return names->error == 0 || names->count > 0;
}

const char *names_next(struct names *names) {
    if (names->sorted == NULL)
        return names->count == 0 && names->at == 0 ? read_name(names) : NULL;
    return names->at < names->count ? names->sorted[names->at++] : NULL;
}

void names_close(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->sorted[i]);
    free(names->sorted);
    if (names->directory != NULL)
        closedir(names->directory);
}
