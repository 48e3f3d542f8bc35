/* Operations on the entries of directories. */
#include "files.h"
#include "livemount-check.h"
#include "livemount-handles.h"
#include "livemount-server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_FLAGS (O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC)

/* A directory of the guest's and a name that is one entry of it. */
static int open_directory(uint64_t id, const char *name, struct node **node, int *fd) {
    *node = node_get(id);
    if (!*node) {
        return ENOENT;
    }
    if (strlen(name) > NAME_MAX) {
        return ENAMETOOLONG;
    }
    if (!is_entry_name(name)) {
        return EINVAL;
    }
    return node_type(*node) == S_IFDIR ? node_open(*node, fd) : ENOTDIR;
}

/* Answers with the entry, or with the error there was before. */
static void reply_entry(fuse_req_t request, int error, struct node *parent, int directory, const char *name) {
    struct statx info;
    uint64_t id;
    error = error ? error : look(directory, name, &info);
    error = error ? error : node_found(parent, name, &info, -1, &id);
    if (error) {
        fuse_reply_err(request, error);
        return;
    }
    struct fuse_entry_param entry = shown_entry(id, &info);
    fuse_reply_entry(request, &entry);
}

void live_lookup(fuse_req_t request, fuse_ino_t parent_id, const char *name) {
    struct node *parent;
    int directory, error = open_directory(parent_id, name, &parent, &directory);
    reply_entry(request, error, parent, directory, name);
    node_put(parent);
}

enum kind { MAKE_DIRECTORY, MAKE_NODE, MAKE_SYMLINK };

static void make_entry(fuse_req_t request, uint64_t parent_id, const char *name, enum kind kind, mode_t mode, const char *target) {
    struct node *parent;
    int directory, error = open_directory(parent_id, name, &parent, &directory);
    if (!error) {
        int failed = kind == MAKE_DIRECTORY ? mkdirat(directory, name, safe_mode(mode, true))
                     : kind == MAKE_SYMLINK ? symlinkat(target, directory, name)
                                            : mknodat(directory, name, (mode & S_IFMT) | safe_mode(mode, false), 0);
        error = failed ? errno : own_new(directory, name, request);
    }
    reply_entry(request, error, parent, directory, name);
    node_put(parent);
}

void live_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode) {
    make_entry(request, parent, name, MAKE_DIRECTORY, mode, NULL);
}

/* Pipes and sockets are names only: whatever goes through them stays in the guest. Devices are the host's. */
void live_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device) {
    (void)device;
    if (S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode)) {
        make_entry(request, parent, name, MAKE_NODE, mode, NULL);
    } else {
        fuse_reply_err(request, EPERM);
    }
}

void live_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *name) {
    make_entry(request, parent, name, MAKE_SYMLINK, 0, target);
}

void live_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t parent_id, const char *name) {
    struct node *parent, *node = node_get(id);
    int path, directory, error = open_directory(parent_id, name, &parent, &directory);
    error = error ? error : !node ? ENOENT : node_open(node, &path);
    if (!error) {
        char number[16];
        snprintf(number, sizeof number, "%d", path);
        error = linkat(server.processes, number, directory, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
    }
    reply_entry(request, error, parent, directory, name);
    node_put(node);
    node_put(parent);
}

static void remove_entry(fuse_req_t request, uint64_t parent_id, const char *name, int flags) {
    struct node *parent;
    struct statx info;
    int directory, error = open_directory(parent_id, name, &parent, &directory);
    if (!error && look(directory, name, &info) == 0) {
        node_detach(parent, name, &info);
    }
    if (!error && unlinkat(directory, name, flags) != 0) {
        error = errno;
        if (look(directory, name, &info) == 0) {
            node_moved(parent, name, &info);
        }
    }
    fuse_reply_err(request, error);
    node_put(parent);
}

void live_unlink(fuse_req_t request, fuse_ino_t parent, const char *name) {
    remove_entry(request, parent, name, 0);
}

void live_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name) {
    remove_entry(request, parent, name, AT_REMOVEDIR);
}

void live_rename(fuse_req_t request, fuse_ino_t old_id, const char *old_name, fuse_ino_t new_id, const char *new_name,
                 unsigned flags) {
    struct node *old_parent = NULL, *new_parent = NULL;
    struct statx info;
    int old_directory, new_directory, error = flags & ~(RENAME_EXCHANGE | RENAME_NOREPLACE) ? EINVAL : 0;
    error = error ? error : open_directory(old_id, old_name, &old_parent, &old_directory);
    error = error ? error : open_directory(new_id, new_name, &new_parent, &new_directory);
    if (!error && !(flags & (RENAME_EXCHANGE | RENAME_NOREPLACE)) && look(new_directory, new_name, &info) == 0) {
        node_detach(new_parent, new_name, &info);
    }
    if (!error && syscall(SYS_renameat2, old_directory, old_name, new_directory, new_name, flags) != 0) {
        error = errno;
    }
    if (new_parent && look(new_directory, new_name, &info) == 0) {
        node_moved(new_parent, new_name, &info);
    }
    if (!error && flags & RENAME_EXCHANGE && look(old_directory, old_name, &info) == 0) {
        node_moved(old_parent, old_name, &info);
    }
    fuse_reply_err(request, error);
    node_put(new_parent);
    node_put(old_parent);
}

/* Without `parent` it has no name. Takes `fd`. An errno, or 0 when it has answered. */
static int reply_created(fuse_req_t request, struct node *parent, const char *name, int fd, struct fuse_file_info *file) {
    struct statx info;
    uint64_t id;
    int path = -1, error = look(fd, "", &info);
    if (!error && !parent && (path = reopen(fd, O_PATH)) < 0) {
        error = -path;
    }
    error = error ? error : node_found(parent, name, &info, path, &id);
    if (error) {
        close(fd);
        return error;
    }
    error = handle_new(id, fd, (uint32_t)(file->flags & OPEN_FLAGS & ~O_TRUNC), false, &file->fh);
    if (error) {
        node_forget(id, 1);
        return error;
    }
    struct fuse_entry_param entry = shown_entry(id, &info);
    fuse_reply_create(request, &entry, file);
    return 0;
}

/* A new file is ours alone to open; one that is there already must be looked at first: it may be no file at all. */
static int open_or_create(int directory, const char *name, int flags, mode_t mode, bool *is_new) {
    int wanted = (flags & OPEN_FLAGS) | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    *is_new = true;
    int fd = openat(directory, name, wanted | O_CREAT | O_EXCL, safe_mode(mode, false));
    if (fd >= 0 || errno != EEXIST || flags & O_EXCL) {
        return fd < 0 ? -errno : fd;
    }
    *is_new = false;
    struct stat info;
    int path = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (path < 0 || fstat(path, &info) != 0) {
        fd = -errno;
    } else {
        fd = S_ISLNK(info.st_mode) ? -ELOOP : !S_ISREG(info.st_mode) ? -EPERM : reopen(path, flags & OPEN_FLAGS);
    }
    close_fd(&path);
    return fd;
}

/* O_TMPFILE: a file without a name, until it is linked. */
static int open_temporary(int directory, int flags, mode_t mode) {
    int fd = openat(directory, ".", (flags & (O_ACCMODE | O_EXCL)) | O_TMPFILE | O_CLOEXEC, safe_mode(mode, false));
    return fd < 0 ? -errno : fd;
}

void live_create(fuse_req_t request, fuse_ino_t parent_id, const char *name, mode_t mode, struct fuse_file_info *file) {
    bool is_temporary = file->flags & LIVE_TEMPORARY, is_new = true;
    struct node *parent;
    int directory, error = open_directory(parent_id, is_temporary ? "temporary" : name, &parent, &directory);
    int fd = error          ? -error
             : is_temporary ? open_temporary(directory, file->flags, mode)
                            : open_or_create(directory, name, file->flags, mode, &is_new);
    if (fd >= 0 && is_new && (error = own_new(fd, "", request)) != 0) {
        close(fd);
        fd = -error;
    }
    error = fd < 0 ? -fd : reply_created(request, is_temporary ? NULL : parent, is_temporary ? "" : name, fd, file);
    if (error) {
        fuse_reply_err(request, error);
    }
    node_put(parent);
}
