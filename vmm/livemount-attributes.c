#include "livemount-handles.h"
#include "livemount-server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NOBODY 65534u

static uint32_t shown(uint32_t id, uint32_t own) {
    return server.as_root ? id : id == own ? 0 : NOBODY;
}

/* File systems below the shared one have inode numbers of their own, which the guest sees on one device. */
static uint64_t shown_inode(const struct statx *info) {
    struct identity root = nodes_root(), identity = identity_of(info);
    return identity.device == root.device ? identity.inode : identity.inode ^ identity.device * 0x9e3779b97f4a7c15ull;
}

struct stat shown_attributes(const struct statx *info) {
    return (struct stat){
        .st_ino = shown_inode(info),
        .st_size = (off_t)info->stx_size,
        .st_blocks = (blkcnt_t)info->stx_blocks,
        .st_atim = {info->stx_atime.tv_sec, info->stx_atime.tv_nsec},
        .st_mtim = {info->stx_mtime.tv_sec, info->stx_mtime.tv_nsec},
        .st_ctim = {info->stx_ctime.tv_sec, info->stx_ctime.tv_nsec},
        .st_mode = info->stx_mode,
        .st_nlink = info->stx_nlink,
        .st_uid = shown(info->stx_uid, server.user),
        .st_gid = shown(info->stx_gid, server.group),
        .st_rdev = makedev(info->stx_rdev_major, info->stx_rdev_minor),
        .st_blksize = (blksize_t)info->stx_blksize,
    };
}

struct fuse_entry_param shown_entry(uint64_t id, const struct statx *info) {
    return (struct fuse_entry_param){.ino = id,
                                     .attr = shown_attributes(info),
                                     .entry_timeout = LIVE_BELIEF_S,
                                     .attr_timeout = LIVE_BELIEF_S};
}

uint32_t safe_mode(uint32_t mode, bool directory) {
    return mode & (directory ? 03777u : 01777u);
}

int own_new(int directory, const char *name, fuse_req_t request) {
    const struct fuse_ctx *maker = fuse_req_ctx(request);
    struct statx info;
    gid_t group = maker->gid;
    if (!server.as_root || (maker->uid == 0 && group == 0)) {
        return 0;
    }
    /* A directory may have given it its own group. */
    if (look(directory, name, &info) == 0 && info.stx_gid != server.group) {
        group = (gid_t)-1;
    }
    int flags = AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH);
    return fchownat(directory, name, maker->uid, group, flags) == 0 ? 0 : errno;
}

int reopen(int path_fd, int flags) {
    char name[16];
    snprintf(name, sizeof name, "%d", path_fd);
    int fd = openat(server.processes, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* Answers with what `path` leads to, or with the error there was before. */
static void reply_attributes(fuse_req_t request, int error, int path) {
    struct statx info;
    error = error ? error : look(path, "", &info);
    if (error) {
        fuse_reply_err(request, error);
        return;
    }
    struct stat shown = shown_attributes(&info);
    fuse_reply_attr(request, &shown, LIVE_BELIEF_S);
}

void live_getattr(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *file) {
    struct node *node = node_get(id);
    int path = -1, error = node ? node_open(node, &path) : ENOENT;
    (void)file;
    reply_attributes(request, error, path);
    node_put(node);
}

static int set_mode(int path, const struct node *node, uint32_t mode) {
    char name[16];
    if (node_type(node) == S_IFLNK) {
        return EOPNOTSUPP;
    }
    snprintf(name, sizeof name, "%d", path);
    return fchmodat(server.processes, name, safe_mode(mode, node_type(node) == S_IFDIR), 0) == 0 ? 0 : errno;
}

/* Nobody but the host's root gives files away: for others only what is so already can be asked for. */
static int set_owner(int path, const struct stat *wanted, int set) {
    uid_t user = set & FUSE_SET_ATTR_UID ? wanted->st_uid : (uid_t)-1;
    gid_t group = set & FUSE_SET_ATTR_GID ? wanted->st_gid : (gid_t)-1;
    if (!server.as_root) {
        if ((user != (uid_t)-1 && user != 0) || (group != (gid_t)-1 && group != 0)) {
            return EPERM;
        }
        user = user == 0 ? server.user : user;
        group = group == 0 ? server.group : group;
    }
    return fchownat(path, "", user, group, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

static int set_size(int path, struct node *node, off_t size, const struct fuse_file_info *file) {
    struct handle *handle = file ? handle_get(file->fh, false) : NULL;
    int own = -1, error = 0, fd = handle ? handle_fd(handle) : -EBADF;
    if (node_type(node) != S_IFREG) {
        error = EINVAL;
    } else if (!handle && (error = node_check(node)) == 0) {
        fd = own = reopen(path, O_WRONLY);
    }
    if (!error && (fd < 0 || ftruncate(fd, size) != 0)) {
        error = fd < 0 ? -fd : errno;
    }
    if (own >= 0) {
        close(own);
    }
    handle_put(handle);
    return error;
}

static struct timespec time_of(int set, int given, int now, struct timespec time) {
    return (struct timespec){time.tv_sec, set & now ? UTIME_NOW : set & given ? time.tv_nsec : UTIME_OMIT};
}

static int set_times(int path, const struct stat *wanted, int set) {
    struct timespec times[2] = {time_of(set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, wanted->st_atim),
                                time_of(set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, wanted->st_mtim)};
    return utimensat(path, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

void live_setattr(fuse_req_t request, fuse_ino_t id, struct stat *wanted, int set, struct fuse_file_info *file) {
    struct node *node = node_get(id);
    int path = -1, error = node ? node_open(node, &path) : ENOENT;
    if (!error && set & FUSE_SET_ATTR_MODE) {
        error = set_mode(path, node, wanted->st_mode);
    }
    if (!error && set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) {
        error = set_owner(path, wanted, set);
    }
    if (!error && set & FUSE_SET_ATTR_SIZE) {
        error = set_size(path, node, wanted->st_size, file);
    }
    if (!error && set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)) {
        error = set_times(path, wanted, set);
    }
    reply_attributes(request, error, path);
    node_put(node);
}

void live_readlink(fuse_req_t request, fuse_ino_t id) {
    struct node *node = node_get(id);
    char target[PATH_MAX];
    int path = -1, error = node ? node_open(node, &path) : ENOENT;
    ssize_t length = error ? 0 : readlinkat(path, "", target, sizeof target - 1);
    error = length < 0 ? errno : error;
    if (error) {
        fuse_reply_err(request, error);
    } else {
        target[length] = '\0';
        fuse_reply_readlink(request, target);
    }
    node_put(node);
}

void live_statfs(fuse_req_t request, fuse_ino_t id) {
    struct node *node = node_get(id);
    struct statvfs info;
    int path = -1, error = node ? node_open(node, &path) : ENOENT;
    error = error ? error : fstatvfs(path, &info) == 0 ? 0 : errno;
    error ? fuse_reply_err(request, error) : fuse_reply_statfs(request, &info);
    node_put(node);
}

void live_forget(fuse_req_t request, fuse_ino_t id, uint64_t count) {
    node_forget(id, count);
    fuse_reply_none(request);
}

void live_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets) {
    for (size_t i = 0; i < count; i++) {
        node_forget(forgets[i].ino, forgets[i].nlookup);
    }
    fuse_reply_none(request);
}
