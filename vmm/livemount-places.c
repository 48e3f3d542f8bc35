#include "files.h"
#include "livemount-table.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void unlink_age(struct node *node) {
    *(node->older ? &node->older->newer : &table.oldest) = node->newer;
    *(node->newer ? &node->newer->older : &table.newest) = node->older;
    node->older = node->newer = NULL;
}

static void append_age(struct node *node) {
    node->older = table.newest;
    node->newer = NULL;
    *(table.newest ? &table.newest->newer : &table.oldest) = node;
    table.newest = node;
}

static bool can_reopen(const struct node *node) {
    return node->parent != NULL;
}

void set_fd(struct node *node, int fd) {
    node->fd = fd;
    table.open++;
    if (can_reopen(node)) {
        append_age(node);
    }
}

void drop_fd(struct node *node) {
    if (node->fd < 0 || node->id == ROOT_ID) {
        return;
    }
    if (can_reopen(node)) {
        unlink_age(node);
    }
    close_fd(&node->fd);
    table.open--;
}

static void close_old(void) {
    for (struct node *node = table.oldest, *next; node && table.open >= table.most_open; node = next) {
        next = node->newer;
        if (node->users == 0) {
            drop_fd(node);
        }
    }
}

void set_place(struct node *node, struct node *parent, char *name) {
    int fd = node->fd;
    if (fd >= 0 && can_reopen(node) != (parent != NULL)) {
        can_reopen(node) ? unlink_age(node) : append_age(node);
    }
    if (parent) {
        parent->children++;
    }
    struct node *before = node->parent;
    free(node->name);
    node->parent = parent;
    node->name = name;
    if (before) {
        before->children--;
    }
}

static int open_entry(int directory, const char *name) {
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
}

/* The file under the remembered name must be the one that was seen there. */
static int verify(struct node *node, int fd) {
    struct statx info;
    int error = look(fd, "", &info);
    struct identity found = error ? (struct identity){0} : identity_of(&info);
    if (error || (node->unverified ? found.type != node->identity.type : !same(&found, &node->identity))) {
        return ESTALE;
    }
    if (node->unverified) {
        node->unverified = false;
        node->identity = found;
        if (!find_identity(&found)) {
            enter_identity(node);
        }
    }
    return 0;
}

int open_locked(struct node *node, unsigned depth) {
    if (node->fd >= 0) {
        if (can_reopen(node)) {
            unlink_age(node);
            append_age(node);
        }
        return 0;
    }
    struct node *parent = node->parent;
    if (!parent || depth > MAX_DEPTH) {
        return ESTALE;
    }
    parent->users++;
    int error = open_locked(parent, depth + 1);
    int fd = error ? -1 : open_entry(parent->fd, node->name);
    parent->users--;
    if (fd < 0) {
        bool gone = error || errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV;
        return error ? error : gone ? ESTALE : errno;
    }
    error = verify(node, fd);
    if (error) {
        close(fd);
        return error;
    }
    close_old();
    set_fd(node, fd);
    return 0;
}
