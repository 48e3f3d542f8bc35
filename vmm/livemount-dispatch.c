#include "livemount-dispatch.h"
#include "livemount-server.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#define OLDEST_MINOR 31u
/* size and flags; the rest only where it was agreed upon. */
#define SHORT_SETXATTR 8u

#define WANTED_FEATURES                                                                                                  \
    (FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_AUTO_INVAL_DATA | FUSE_DO_READDIRPLUS |                \
     FUSE_READDIRPLUS_AUTO | FUSE_ASYNC_DIO | FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2 | FUSE_MAX_PAGES |            \
     FUSE_CACHE_SYMLINKS)

/* No writes are held back in the guest, so that the host sees them at once; locks stay in the guest's kernel. */
static int init(const struct request *request, struct answer *answer) {
    const struct fuse_init_in *in = request->arguments;
    struct fuse_init_out *out = (struct fuse_init_out *)answer->bytes;
    if (in->major != FUSE_KERNEL_VERSION || in->minor < OLDEST_MINOR) {
        return EPROTO;
    }
    *out = (struct fuse_init_out){
        .major = FUSE_KERNEL_VERSION,
        .minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION,
        .max_readahead = in->max_readahead,
        .flags = in->flags & WANTED_FEATURES,
        .max_background = 64,
        .congestion_threshold = 48,
        .max_write = LIVE_MAX_DATA,
        .time_gran = 1,
        .max_pages = LIVE_MAX_DATA / 4096,
    };
    answer->length = sizeof *out;
    return 0;
}

static int done(const struct request *request, struct answer *answer) {
    (void)request;
    (void)answer;
    return 0;
}

static const struct live_shape shapes[] = {
    [FUSE_INIT] = {offsetof(struct fuse_init_in, flags2), 0, true, false, init},
    [FUSE_DESTROY] = {0, 0, false, false, done},
    [FUSE_LOOKUP] = {0, 1, false, false, live_lookup},
    [FUSE_FORGET] = {sizeof(struct fuse_forget_in), 0, false, true, live_forget},
    [FUSE_BATCH_FORGET] = {sizeof(struct fuse_batch_forget_in), 0, true, true, live_batch_forget},
    [FUSE_GETATTR] = {sizeof(struct fuse_getattr_in), 0, false, false, live_getattr},
    [FUSE_SETATTR] = {sizeof(struct fuse_setattr_in), 0, false, false, live_setattr},
    [FUSE_READLINK] = {0, 0, false, false, live_readlink},
    [FUSE_SYMLINK] = {0, 2, false, false, live_symlink},
    [FUSE_MKNOD] = {sizeof(struct fuse_mknod_in), 1, false, false, live_mknod},
    [FUSE_MKDIR] = {sizeof(struct fuse_mkdir_in), 1, false, false, live_mkdir},
    [FUSE_UNLINK] = {0, 1, false, false, live_unlink},
    [FUSE_RMDIR] = {0, 1, false, false, live_rmdir},
    [FUSE_RENAME] = {sizeof(struct fuse_rename_in), 2, false, false, live_rename},
    [FUSE_RENAME2] = {sizeof(struct fuse_rename2_in), 2, false, false, live_rename2},
    [FUSE_LINK] = {sizeof(struct fuse_link_in), 1, false, false, live_link},
    [FUSE_OPEN] = {sizeof(struct fuse_open_in), 0, false, false, live_open},
    [FUSE_READ] = {sizeof(struct fuse_read_in), 0, false, false, live_read},
    [FUSE_WRITE] = {sizeof(struct fuse_write_in), 0, true, false, live_write},
    [FUSE_STATFS] = {0, 0, false, false, live_statfs},
    [FUSE_RELEASE] = {sizeof(struct fuse_release_in), 0, false, false, live_release},
    [FUSE_FSYNC] = {sizeof(struct fuse_fsync_in), 0, false, false, live_fsync},
    [FUSE_SETXATTR] = {SHORT_SETXATTR, 1, true, false, live_setxattr},
    [FUSE_GETXATTR] = {sizeof(struct fuse_getxattr_in), 1, false, false, live_getxattr},
    [FUSE_LISTXATTR] = {sizeof(struct fuse_getxattr_in), 0, false, false, live_listxattr},
    [FUSE_REMOVEXATTR] = {0, 1, false, false, live_removexattr},
    [FUSE_OPENDIR] = {sizeof(struct fuse_open_in), 0, false, false, live_opendir},
    [FUSE_READDIR] = {sizeof(struct fuse_read_in), 0, false, false, live_readdir},
    [FUSE_READDIRPLUS] = {sizeof(struct fuse_read_in), 0, false, false, live_readdirplus},
    [FUSE_RELEASEDIR] = {sizeof(struct fuse_release_in), 0, false, false, live_release},
    [FUSE_FSYNCDIR] = {sizeof(struct fuse_fsync_in), 0, false, false, live_fsync},
    [FUSE_CREATE] = {sizeof(struct fuse_create_in), 1, false, false, live_create},
    [FUSE_TMPFILE] = {sizeof(struct fuse_create_in), 1, false, false, live_temporary},
    [FUSE_FALLOCATE] = {sizeof(struct fuse_fallocate_in), 0, false, false, live_fallocate},
    [FUSE_LSEEK] = {sizeof(struct fuse_lseek_in), 0, false, false, live_lseek},
    [FUSE_COPY_FILE_RANGE] = {sizeof(struct fuse_copy_file_range_in), 0, false, false, live_copy},
};

/* What the guest's own kernel refuses on a read-only mount, should it not. */
static bool changes(const struct request *request) {
    switch (request->header.opcode) {
    case FUSE_SETATTR: case FUSE_SYMLINK: case FUSE_MKNOD: case FUSE_MKDIR: case FUSE_UNLINK: case FUSE_RMDIR:
    case FUSE_RENAME: case FUSE_RENAME2: case FUSE_LINK: case FUSE_WRITE: case FUSE_SETXATTR: case FUSE_REMOVEXATTR:
    case FUSE_CREATE: case FUSE_TMPFILE: case FUSE_FALLOCATE: case FUSE_COPY_FILE_RANGE:
        return true;
    case FUSE_OPEN: {
        uint32_t flags = ((const struct fuse_open_in *)request->arguments)->flags;
        return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    }
    default:
        return false;
    }
}

bool dispatch(struct request *request, struct answer *answer, int *error) {
    uint32_t opcode = request->header.opcode;
    const struct live_shape *shape = opcode < sizeof shapes / sizeof *shapes ? &shapes[opcode] : NULL;
    answer->length = 0;
    if (!shape || !shape->run) {
        *error = ENOSYS;
    } else if (!message_cut(request, shape)) {
        *error = EINVAL;
    } else if (server.read_only && changes(request)) {
        *error = EROFS;
    } else {
        *error = shape->run(request, answer);
    }
    if (*error) {
        answer->length = 0;
    }
    return !shape || !shape->silent;
}
