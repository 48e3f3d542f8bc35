/* What the operations of one live mount share: one directory, one process. */
#ifndef MACHINEN_LIVEMOUNT_SERVER_H
#define MACHINEN_LIVEMOUNT_SERVER_H

#include "livemount-message.h"
#include "livemount-nodes.h"

/* How long the guest may believe what it was told of a file: how fast it sees what the host changes. */
#define LIVE_BELIEF_S 1

struct server {
    bool read_only;
    int processes; /* /proc/self/fd, to open again what is held by O_PATH */
    bool as_root;  /* user ids are the same on both sides; else ours is the guest's root and others are nobody */
    uint32_t user, group;
};
extern struct server server;

/* The operations, by file. */
int live_lookup(const struct request *, struct answer *);
int live_create(const struct request *, struct answer *);
int live_temporary(const struct request *, struct answer *);
int live_mknod(const struct request *, struct answer *);
int live_mkdir(const struct request *, struct answer *);
int live_symlink(const struct request *, struct answer *);
int live_link(const struct request *, struct answer *);
int live_unlink(const struct request *, struct answer *);
int live_rmdir(const struct request *, struct answer *);
int live_rename(const struct request *, struct answer *);
int live_rename2(const struct request *, struct answer *);
int live_getattr(const struct request *, struct answer *);
int live_setattr(const struct request *, struct answer *);
int live_readlink(const struct request *, struct answer *);
int live_statfs(const struct request *, struct answer *);
int live_setxattr(const struct request *, struct answer *);
int live_getxattr(const struct request *, struct answer *);
int live_listxattr(const struct request *, struct answer *);
int live_removexattr(const struct request *, struct answer *);
int live_open(const struct request *, struct answer *);
int live_read(const struct request *, struct answer *);
int live_write(const struct request *, struct answer *);
int live_fsync(const struct request *, struct answer *);
int live_fallocate(const struct request *, struct answer *);
int live_lseek(const struct request *, struct answer *);
int live_copy(const struct request *, struct answer *);
int live_release(const struct request *, struct answer *);
int live_opendir(const struct request *, struct answer *);
int live_readdir(const struct request *, struct answer *);
int live_readdirplus(const struct request *, struct answer *);
int live_forget(const struct request *, struct answer *);
int live_batch_forget(const struct request *, struct answer *);

/* livemount-attributes.c */
void fill_attributes(struct fuse_attr *out, const struct statx *info);
void fill_entry(struct fuse_entry_out *out, uint64_t id, const struct statx *info);
/* What may be set on this host: never a bit that gives a program somebody's rights. */
uint32_t safe_mode(uint32_t mode, bool directory);
/* The new file belongs to who made it, where we can arrange that. */
int own_new(int directory, const char *name, const struct request *request);
/* Opens what `path_fd` (O_PATH) leads to. A descriptor, or a negative errno. */
int reopen(int path_fd, int flags);

#endif
