/* What the operations of one live mount share: one directory, one process. */
#ifndef MACHINEN_LIVEMOUNT_SERVER_H
#define MACHINEN_LIVEMOUNT_SERVER_H

#include "livemount-nodes.h"

#include <fcntl.h>

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

/* How long the guest may believe what it was told of a file: how fast it sees what the host changes. */
#define LIVE_BELIEF_S 1

/* A create with this flag is for a file without a name: see livemount-session.c. */
#define LIVE_TEMPORARY __O_TMPFILE

struct server {
    bool read_only;
    int processes; /* /proc/self/fd, to open again what is held by O_PATH */
    bool as_root;  /* user ids are the same on both sides; else ours is the guest's root and others are nobody */
    uint32_t user, group;
};
extern struct server server;

/* The operations, by file, as libfuse calls them: each answers its request. */
void live_lookup(fuse_req_t, fuse_ino_t, const char *);
void live_create(fuse_req_t, fuse_ino_t, const char *, mode_t, struct fuse_file_info *);
void live_mknod(fuse_req_t, fuse_ino_t, const char *, mode_t, dev_t);
void live_mkdir(fuse_req_t, fuse_ino_t, const char *, mode_t);
void live_symlink(fuse_req_t, const char *, fuse_ino_t, const char *);
void live_link(fuse_req_t, fuse_ino_t, fuse_ino_t, const char *);
void live_unlink(fuse_req_t, fuse_ino_t, const char *);
void live_rmdir(fuse_req_t, fuse_ino_t, const char *);
void live_rename(fuse_req_t, fuse_ino_t, const char *, fuse_ino_t, const char *, unsigned);
void live_getattr(fuse_req_t, fuse_ino_t, struct fuse_file_info *);
void live_setattr(fuse_req_t, fuse_ino_t, struct stat *, int, struct fuse_file_info *);
void live_readlink(fuse_req_t, fuse_ino_t);
void live_statfs(fuse_req_t, fuse_ino_t);
void live_setxattr(fuse_req_t, fuse_ino_t, const char *, const char *, size_t, int);
void live_getxattr(fuse_req_t, fuse_ino_t, const char *, size_t);
void live_listxattr(fuse_req_t, fuse_ino_t, size_t);
void live_removexattr(fuse_req_t, fuse_ino_t, const char *);
void live_open(fuse_req_t, fuse_ino_t, struct fuse_file_info *);
void live_read(fuse_req_t, fuse_ino_t, size_t, off_t, struct fuse_file_info *);
void live_write(fuse_req_t, fuse_ino_t, const char *, size_t, off_t, struct fuse_file_info *);
void live_fsync(fuse_req_t, fuse_ino_t, int, struct fuse_file_info *);
void live_fallocate(fuse_req_t, fuse_ino_t, int, off_t, off_t, struct fuse_file_info *);
void live_lseek(fuse_req_t, fuse_ino_t, off_t, int, struct fuse_file_info *);
void live_copy(fuse_req_t, fuse_ino_t, off_t, struct fuse_file_info *, fuse_ino_t, off_t, struct fuse_file_info *, size_t, int);
void live_release(fuse_req_t, fuse_ino_t, struct fuse_file_info *);
void live_opendir(fuse_req_t, fuse_ino_t, struct fuse_file_info *);
void live_readdir(fuse_req_t, fuse_ino_t, size_t, off_t, struct fuse_file_info *);
void live_readdirplus(fuse_req_t, fuse_ino_t, size_t, off_t, struct fuse_file_info *);
void live_fsyncdir(fuse_req_t, fuse_ino_t, int, struct fuse_file_info *);
void live_releasedir(fuse_req_t, fuse_ino_t, struct fuse_file_info *);
void live_forget(fuse_req_t, fuse_ino_t, uint64_t);
void live_forget_multi(fuse_req_t, size_t, struct fuse_forget_data *);

/* livemount-attributes.c */
struct stat shown_attributes(const struct statx *info);
struct fuse_entry_param shown_entry(uint64_t id, const struct statx *info);
/* What may be set on this host: never a bit that gives a program somebody's rights. */
uint32_t safe_mode(uint32_t mode, bool directory);
/* The new file belongs to who made it, where we can arrange that. */
int own_new(int directory, const char *name, fuse_req_t request);
/* Opens what `path_fd` (O_PATH) leads to. A descriptor, or a negative errno. */
int reopen(int path_fd, int flags);

#endif
