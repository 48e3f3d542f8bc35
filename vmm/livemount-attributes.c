#include "livemount-handles.h"
#include "livemount-server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

void fill_attributes(struct fuse_attr *out, const struct statx *info) {
    *out = (struct fuse_attr){
        .ino = shown_inode(info),
        .size = info->stx_size,
        .blocks = info->stx_blocks,
        .atime = (uint64_t)info->stx_atime.tv_sec,
        .mtime = (uint64_t)info->stx_mtime.tv_sec,
        .ctime = (uint64_t)info->stx_ctime.tv_sec,
        .atimensec = info->stx_atime.tv_nsec,
        .mtimensec = info->stx_mtime.tv_nsec,
        .ctimensec = info->stx_ctime.tv_nsec,
        .mode = info->stx_mode,
        .nlink = info->stx_nlink,
        .uid = shown(info->stx_uid, server.user),
        .gid = shown(info->stx_gid, server.group),
        .rdev = (uint32_t)makedev(info->stx_rdev_major, info->stx_rdev_minor),
        .blksize = info->stx_blksize,
    };
}

void fill_entry(struct fuse_entry_out *out, uint64_t id, const struct statx *info) {
    *out = (struct fuse_entry_out){.nodeid = id, .entry_valid = LIVE_BELIEF_S, .attr_valid = LIVE_BELIEF_S};
    fill_attributes(&out->attr, info);
}

uint32_t safe_mode(uint32_t mode, bool directory) {
    return mode & (directory ? 03777u : 01777u);
}

int own_new(int directory, const char *name, const struct request *request) {
    struct statx info;
    gid_t group = request->header.gid;
    if (!server.as_root || (request->header.uid == 0 && group == 0)) {
        return 0;
    }
    /* A directory may have given it its own group. */
    if (look(directory, name, &info) == 0 && info.stx_gid != server.group) {
        group = (gid_t)-1;
    }
    int flags = AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH);
    return fchownat(directory, name, request->header.uid, group, flags) == 0 ? 0 : errno;
}

int reopen(int path_fd, int flags) {
    char name[16];
    snprintf(name, sizeof name, "%d", path_fd);
    int fd = openat(server.processes, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int answer_attributes(int path, struct answer *answer) {
    struct fuse_attr_out *out = (struct fuse_attr_out *)answer->bytes;
    struct statx info;
    int error = look(path, "", &info);
    if (!error) {
        *out = (struct fuse_attr_out){.attr_valid = LIVE_BELIEF_S};
        fill_attributes(&out->attr, &info);
        answer->length = sizeof *out;
    }
    return error;
}

int live_getattr(const struct request *request, struct answer *answer) {
    struct node *node = node_get(request->header.nodeid);
    int path, error = node ? node_open(node, &path) : ENOENT;
    error = error ? error : answer_attributes(path, answer);
    node_put(node);
    return error;
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
static int set_owner(int path, const struct fuse_setattr_in *in) {
    uid_t user = in->valid & FATTR_UID ? in->uid : (uid_t)-1;
    gid_t group = in->valid & FATTR_GID ? in->gid : (gid_t)-1;
    if (!server.as_root) {
        if ((user != (uid_t)-1 && user != 0) || (group != (gid_t)-1 && group != 0)) {
            return EPERM;
        }
        user = user == 0 ? server.user : user;
        group = group == 0 ? server.group : group;
    }
    return fchownat(path, "", user, group, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

static int set_size(int path, struct node *node, const struct fuse_setattr_in *in) {
    struct handle *handle = in->valid & FATTR_FH ? handle_get(in->fh, false) : NULL;
    int own = -1, error = 0, fd = handle ? handle_fd(handle) : -EBADF;
    if (node_type(node) != S_IFREG) {
        error = EINVAL;
    } else if (!handle && (error = node_check(node)) == 0) {
        fd = own = reopen(path, O_WRONLY);
    }
    if (!error && (fd < 0 || ftruncate(fd, (off_t)in->size) != 0)) {
        error = fd < 0 ? -fd : errno;
    }
    if (own >= 0) {
        close(own);
    }
    handle_put(handle);
    return error;
}

static struct timespec time_of(uint32_t valid, uint32_t set, uint32_t now, uint64_t seconds, uint32_t nanoseconds) {
    return (struct timespec){(time_t)seconds, valid & now ? UTIME_NOW : valid & set ? (long)nanoseconds : UTIME_OMIT};
}

static int set_times(int path, const struct fuse_setattr_in *in) {
    struct timespec times[2] = {time_of(in->valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
                                time_of(in->valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec)};
    return utimensat(path, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

int live_setattr(const struct request *request, struct answer *answer) {
    const struct fuse_setattr_in *in = request->arguments;
    struct node *node = node_get(request->header.nodeid);
    int path, error = node ? node_open(node, &path) : ENOENT;
    if (!error && in->valid & FATTR_MODE) {
        error = set_mode(path, node, in->mode);
    }
    if (!error && in->valid & (FATTR_UID | FATTR_GID)) {
        error = set_owner(path, in);
    }
    if (!error && in->valid & FATTR_SIZE) {
        error = set_size(path, node, in);
    }
    if (!error && in->valid & (FATTR_ATIME | FATTR_MTIME)) {
        error = set_times(path, in);
    }
    error = error ? error : answer_attributes(path, answer);
    node_put(node);
    return error;
}

int live_readlink(const struct request *request, struct answer *answer) {
    struct node *node = node_get(request->header.nodeid);
    int path, error = node ? node_open(node, &path) : ENOENT;
    ssize_t length = error ? 0 : readlinkat(path, "", (char *)answer->bytes, 4095);
    error = length < 0 ? errno : error;
    answer->length = error ? 0 : (size_t)length;
    node_put(node);
    return error;
}

int live_statfs(const struct request *request, struct answer *answer) {
    struct node *node = node_get(request->header.nodeid);
    struct statvfs info;
    int path, error = node ? node_open(node, &path) : ENOENT;
    error = error ? error : fstatvfs(path, &info) == 0 ? 0 : errno;
    if (!error) {
        struct fuse_statfs_out *out = (struct fuse_statfs_out *)answer->bytes;
        *out = (struct fuse_statfs_out){.st = {.blocks = info.f_blocks,
                                               .bfree = info.f_bfree,
                                               .bavail = info.f_bavail,
                                               .files = info.f_files,
                                               .ffree = info.f_ffree,
                                               .bsize = (uint32_t)info.f_bsize,
                                               .namelen = (uint32_t)info.f_namemax,
                                               .frsize = (uint32_t)info.f_frsize}};
        answer->length = sizeof *out;
    }
    node_put(node);
    return error;
}

int live_forget(const struct request *request, struct answer *answer) {
    (void)answer;
    node_forget(request->header.nodeid, ((const struct fuse_forget_in *)request->arguments)->nlookup);
    return 0;
}

int live_batch_forget(const struct request *request, struct answer *answer) {
    const struct fuse_batch_forget_in *in = request->arguments;
    (void)answer;
    for (size_t i = 0; i < in->count && (i + 1) * sizeof(struct fuse_forget_one) <= request->data_length; i++) {
        struct fuse_forget_one one;
        memcpy(&one, request->data + i * sizeof one, sizeof one);
        node_forget(one.nodeid, one.nlookup);
    }
    return 0;
}
