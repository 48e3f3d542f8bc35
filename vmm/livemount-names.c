/* Operations on the entries of directories. */
#include "files.h"
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
    if (!message_is_entry_name(name)) {
        return EINVAL;
    }
    return node_type(*node) == S_IFDIR ? node_open(*node, fd) : ENOTDIR;
}

static int answer_entry(struct node *parent, int directory, const char *name, struct answer *answer) {
    struct fuse_entry_out *out = (struct fuse_entry_out *)answer->bytes;
    struct statx info;
    uint64_t id;
    int error = look(directory, name, &info);
    error = error ? error : node_found(parent, name, &info, -1, &id);
    if (!error) {
        fill_entry(out, id, &info);
        answer->length = sizeof *out;
    }
    return error;
}

int live_lookup(const struct request *request, struct answer *answer) {
    struct node *parent;
    int directory, error = open_directory(request->header.nodeid, request->names[0], &parent, &directory);
    error = error ? error : answer_entry(parent, directory, request->names[0], answer);
    node_put(parent);
    return error;
}

enum kind { MAKE_DIRECTORY, MAKE_NODE, MAKE_SYMLINK };

static int make_entry(const struct request *request, enum kind kind, uint32_t mode, const char *target, struct answer *answer) {
    struct node *parent;
    const char *name = request->names[0];
    int directory, error = open_directory(request->header.nodeid, name, &parent, &directory);
    if (!error) {
        int failed = kind == MAKE_DIRECTORY ? mkdirat(directory, name, safe_mode(mode, true))
                     : kind == MAKE_SYMLINK ? symlinkat(target, directory, name)
                                            : mknodat(directory, name, (mode & S_IFMT) | safe_mode(mode, false), 0);
        error = failed ? errno : own_new(directory, name, request);
    }
    error = error ? error : answer_entry(parent, directory, name, answer);
    node_put(parent);
    return error;
}

int live_mkdir(const struct request *request, struct answer *answer) {
    const struct fuse_mkdir_in *in = request->arguments;
    return make_entry(request, MAKE_DIRECTORY, in->mode, NULL, answer);
}

/* Pipes and sockets are names only: whatever goes through them stays in the guest. Devices are the host's. */
int live_mknod(const struct request *request, struct answer *answer) {
    const struct fuse_mknod_in *in = request->arguments;
    uint32_t type = in->mode & S_IFMT;
    bool allowed = type == S_IFREG || type == S_IFIFO || type == S_IFSOCK;
    return allowed ? make_entry(request, MAKE_NODE, in->mode, NULL, answer) : EPERM;
}

int live_symlink(const struct request *request, struct answer *answer) {
    return make_entry(request, MAKE_SYMLINK, 0, request->names[1], answer);
}

int live_link(const struct request *request, struct answer *answer) {
    const struct fuse_link_in *in = request->arguments;
    const char *name = request->names[0];
    struct node *parent, *node = node_get(in->oldnodeid);
    int path, directory, error = open_directory(request->header.nodeid, name, &parent, &directory);
    error = error ? error : !node ? ENOENT : node_open(node, &path);
    if (!error) {
        char number[16];
        snprintf(number, sizeof number, "%d", path);
        error = linkat(server.processes, number, directory, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
    }
    error = error ? error : answer_entry(parent, directory, name, answer);
    node_put(node);
    node_put(parent);
    return error;
}

static int remove_entry(const struct request *request, int flags) {
    const char *name = request->names[0];
    struct node *parent;
    struct statx info;
    int directory, error = open_directory(request->header.nodeid, name, &parent, &directory);
    if (!error && look(directory, name, &info) == 0) {
        node_detach(parent, name, &info);
    }
    if (!error && unlinkat(directory, name, flags) != 0) {
        error = errno;
        if (look(directory, name, &info) == 0) {
            node_moved(parent, name, &info);
        }
    }
    node_put(parent);
    return error;
}

int live_unlink(const struct request *request, struct answer *answer) {
    (void)answer;
    return remove_entry(request, 0);
}

int live_rmdir(const struct request *request, struct answer *answer) {
    (void)answer;
    return remove_entry(request, AT_REMOVEDIR);
}

static int rename_entry(const struct request *request, uint64_t to, unsigned flags) {
    const char *old_name = request->names[0], *new_name = request->names[1];
    struct node *old_parent, *new_parent = NULL;
    struct statx info;
    int old_directory, new_directory, error = open_directory(request->header.nodeid, old_name, &old_parent, &old_directory);
    error = error ? error : open_directory(to, new_name, &new_parent, &new_directory);
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
    node_put(new_parent);
    node_put(old_parent);
    return error;
}

int live_rename(const struct request *request, struct answer *answer) {
    const struct fuse_rename_in *in = request->arguments;
    (void)answer;
    return rename_entry(request, in->newdir, 0);
}

int live_rename2(const struct request *request, struct answer *answer) {
    const struct fuse_rename2_in *in = request->arguments;
    (void)answer;
    return in->flags & ~(RENAME_EXCHANGE | RENAME_NOREPLACE) ? EINVAL : rename_entry(request, in->newdir, in->flags);
}

static int answer_created(struct node *parent, const char *name, int fd, uint32_t flags, struct answer *answer) {
    struct fuse_entry_out *entry = (struct fuse_entry_out *)answer->bytes;
    struct fuse_open_out *opened = (struct fuse_open_out *)(entry + 1);
    struct statx info;
    uint64_t id, handle;
    int path = -1, error = look(fd, "", &info);
    if (!error && !parent && (path = reopen(fd, O_PATH)) < 0) {
        error = -path;
    }
    error = error ? error : node_found(parent, name, &info, path, &id);
    if (error) {
        close(fd);
        return error;
    }
    error = handle_new(id, fd, flags, false, &handle);
    if (error) {
        node_forget(id, 1);
        return error;
    }
    fill_entry(entry, id, &info);
    *opened = (struct fuse_open_out){.fh = handle};
    answer->length = sizeof *entry + sizeof *opened;
    return 0;
}

/* A new file is ours alone to open; one that is there already must be looked at first: it may be no file at all. */
static int open_or_create(int directory, const char *name, uint32_t flags, uint32_t mode, bool exclusive, bool *is_new) {
    int wanted = (int)(flags & OPEN_FLAGS) | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    *is_new = true;
    int fd = openat(directory, name, wanted | O_CREAT | O_EXCL, safe_mode(mode, false));
    if (fd >= 0 || errno != EEXIST || exclusive) {
        return fd < 0 ? -errno : fd;
    }
    *is_new = false;
    struct stat info;
    int path = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (path < 0 || fstat(path, &info) != 0) {
        fd = -errno;
    } else {
        fd = S_ISLNK(info.st_mode) ? -ELOOP : !S_ISREG(info.st_mode) ? -EPERM : reopen(path, (int)(flags & OPEN_FLAGS));
    }
    close_fd(&path);
    return fd;
}

int live_create(const struct request *request, struct answer *answer) {
    const struct fuse_create_in *in = request->arguments;
    const char *name = request->names[0];
    struct node *parent;
    bool is_new = false;
    int directory, error = open_directory(request->header.nodeid, name, &parent, &directory);
    int fd = error ? -error : open_or_create(directory, name, in->flags, in->mode, in->flags & O_EXCL, &is_new);
    if (fd >= 0 && is_new && (error = own_new(fd, "", request)) != 0) {
        close(fd);
        fd = -error;
    }
    error = fd < 0 ? -fd : answer_created(parent, name, fd, in->flags & OPEN_FLAGS & ~(uint32_t)O_TRUNC, answer);
    node_put(parent);
    return error;
}

/* O_TMPFILE: a file without a name, until it is linked. */
int live_temporary(const struct request *request, struct answer *answer) {
    const struct fuse_create_in *in = request->arguments;
    struct node *parent;
    int directory, error = open_directory(request->header.nodeid, "tmpfile", &parent, &directory);
    int flags = (int)(in->flags & (O_ACCMODE | O_EXCL)) | O_TMPFILE | O_CLOEXEC;
    int fd = error ? -error : openat(directory, ".", flags, safe_mode(in->mode, false));
    if (!error && fd < 0) {
        fd = -errno;
    }
    if (fd >= 0 && (error = own_new(fd, "", request)) != 0) {
        close(fd);
        fd = -error;
    }
    error = fd < 0 ? -fd : answer_created(NULL, "", fd, in->flags & O_ACCMODE, answer);
    node_put(parent);
    return error;
}
