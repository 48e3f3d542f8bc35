#include "place.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, MODE_UNTIL_LEFT = 0700, MODE_IMPLIED = 0755 };

struct level {
    int fd;
    char *name;
    bool pending, owner; /* to be set when it is left: */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
    struct attributes attributes;
};

struct place {
    bool through_links;
    size_t depth; /* levels[0] is the root */
    struct level levels[PLACE_DEEPEST + 1];
};

struct place *place_new(int root, bool through_links) {
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return NULL;
    place->through_links = through_links;
    place->levels[0].fd = root;
    return place;
}

int place_root(const struct place *place) {
    return place->levels[0].fd;
}

static void leave(struct level *level) {
    if (level->pending) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, level->mtime};
        /* The mode last: chown() clears bits of it. */
        bool given = level->owner && fchown(level->fd, level->uid, level->gid) == 0;
        if (!given)
            level->mode &= 01777;
        /* Not sooner: what is made in a directory takes its default access control list. */
        if (!attributes_set(level->fd, given ? ATTRIBUTES_OWNERS : ATTRIBUTES_USER, &level->attributes))
            report(level->name == NULL ? "." : level->name, "not all extended attributes could be set");
        futimens(level->fd, times);
        fchmod(level->fd, level->mode);
    }
    close(level->fd);
    free(level->name);
    attributes_free(&level->attributes);
    *level = (struct level){.fd = -1};
}

static void leave_below(struct place *place, size_t depth) {
    while (place->depth > depth)
        leave(&place->levels[place->depth--]);
}

static bool push(struct place *place, int fd, const char *name) {
    char *copy = place->depth < PLACE_DEEPEST ? strdup(name) : NULL;
    if (copy == NULL) {
        close(fd);
        errno = ENAMETOOLONG;
        return false;
    }
    place->levels[++place->depth] = (struct level){.fd = fd, .name = copy};
    return true;
}

/* `/bin` of many systems is a link to `usr/bin`: a tree that has a directory there means that one. */
static int open_linked(const struct place *place, const char *name) {
    char path[4096];
    size_t at = 0;
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (!place->through_links)
        return -1;
    for (size_t i = 1; i <= place->depth + 1; i++) {
        const char *part = i > place->depth ? name : place->levels[i].name;
        size_t length = strlen(part);
        if (at + length + 2 > sizeof path)
            return -1;
        memcpy(path + at, part, length);
        at += length;
        path[at++] = i > place->depth ? '\0' : '/';
    }
    return (int)syscall(SYS_openat2, place_root(place), path, &how, sizeof how);
}

static bool is_no_directory(int error) {
    return error == ENOTDIR || error == ELOOP;
}

static int open_existing(const struct place *place, int parent, const char *name) {
    int fd = openat(parent, name, DIRECTORY);
    if (fd >= 0 || !is_no_directory(errno))
        return fd;
    int error = errno;
    fd = open_linked(place, name);
    if (fd < 0)
        errno = error;
    return fd;
}

/* The next name of the path, or NULL; empty names and `.` are skipped. */
static char *next_name(char **path) {
    char *name;
    while ((name = strsep(path, "/")) != NULL)
        if (name[0] != '\0' && strcmp(name, ".") != 0)
            return name;
    return NULL;
}

static bool enter(struct place *place, const char *name, const char **message) {
    int parent = place->levels[place->depth].fd;
    int fd = open_existing(place, parent, name);
    if (fd < 0 && errno == ENOENT && mkdirat(parent, name, MODE_IMPLIED) == 0)
        fd = open_existing(place, parent, name);
    if (fd < 0) {
        *message = is_no_directory(errno) ? "lies below what is no directory, or a symbolic link" : strerror(errno);
        return false;
    }
    if (push(place, fd, name))
        return true;
    *message = strerror(errno);
    return false;
}

int place_enter(struct place *place, char *path, const char **name, const char **message) {
    char *last = next_name(&path);
    size_t depth = 0;
    bool known = true;
    *name = last;
    for (char *next; last != NULL; last = next) {
        next = next_name(&path);
        *name = last;
        if (strcmp(last, "..") == 0) {
            *message = "refused: its path has \"..\"";
            return -1;
        }
        if (next == NULL)
            break;
        known = known && depth < place->depth && strcmp(place->levels[depth + 1].name, last) == 0;
        if (!known) {
            leave_below(place, depth);
            if (!enter(place, last, message))
                return -1;
        }
        depth++;
    }
    leave_below(place, depth);
    return place->levels[depth].fd;
}

static bool make_way(int parent, const char *name) {
    return unlinkat(parent, name, 0) == 0 || errno == ENOENT;
}

bool place_directory(struct place *place, int parent, const char *name, const struct member *member,
                     mode_t mode, bool owner, const char **message) {
    int fd = mkdirat(parent, name, MODE_UNTIL_LEFT) == 0 || errno == EEXIST ? open_existing(place, parent, name) : -1;
    if (fd < 0 && is_no_directory(errno) && make_way(parent, name) && mkdirat(parent, name, MODE_UNTIL_LEFT) == 0)
        fd = openat(parent, name, DIRECTORY);
    if (fd < 0 || !push(place, fd, name)) {
        *message = strerror(errno);
        return false;
    }
    place_root_becomes(place, member, mode, owner);
    return true;
}

void place_root_becomes(struct place *place, const struct member *member, mode_t mode, bool owner) {
    struct level *level = &place->levels[place->depth];
    level->pending = true;
    level->owner = owner;
    level->mode = mode;
    level->uid = member->uid;
    level->gid = member->gid;
    level->mtime = member->mtime;
    attributes_free(&level->attributes);
    attributes_add(&level->attributes, member->attributes.records, member->attributes.length);
}

int place_find(const struct place *place, char *path, const char **name) {
    int fd = fcntl(place_root(place), F_DUPFD_CLOEXEC, 0);
    char *last = next_name(&path);
    for (char *next; fd >= 0 && last != NULL; last = next) {
        next = next_name(&path);
        *name = last;
        if (strcmp(last, "..") == 0)
            break;
        if (next == NULL)
            return fd;
        int below = openat(fd, last, DIRECTORY);
        close(fd);
        fd = below;
    }
    if (fd >= 0) {
        close(fd);
        errno = EINVAL;
    }
    return -1;
}

void place_free(struct place *place) {
    leave_below(place, 0);
    leave(&place->levels[0]);
    free(place);
}
