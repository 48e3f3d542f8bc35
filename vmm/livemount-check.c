#include "livemount-check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>

/* Older ones have shorter messages. */
#define OLDEST_MINOR 31u
/* size and flags; the rest only where it was agreed upon, and we never do. */
#define SHORT_SETXATTR 8u
#define SHORT_INIT offsetof(struct fuse_init_in, flags2)

enum { KNOWN = 1, CHANGES = 2 | KNOWN, SILENT = 4 | KNOWN };

/* Bytes of arguments, strings behind them; what may follow is counted by the arguments. What is not here is refused:
 * among others locks, ioctl, poll, interrupts, and answers to what we never ask. */
static const struct shape {
    uint8_t kind, names;
    uint16_t fixed;
} shapes[] = {
    [FUSE_INIT] = {KNOWN, 0, SHORT_INIT},
    [FUSE_DESTROY] = {KNOWN, 0, 0},
    [FUSE_LOOKUP] = {KNOWN, 1, 0},
    [FUSE_FORGET] = {SILENT, 0, sizeof(struct fuse_forget_in)},
    [FUSE_BATCH_FORGET] = {SILENT, 0, sizeof(struct fuse_batch_forget_in)},
    [FUSE_GETATTR] = {KNOWN, 0, sizeof(struct fuse_getattr_in)},
    [FUSE_SETATTR] = {CHANGES, 0, sizeof(struct fuse_setattr_in)},
    [FUSE_READLINK] = {KNOWN, 0, 0},
    [FUSE_SYMLINK] = {CHANGES, 2, 0},
    [FUSE_MKNOD] = {CHANGES, 1, sizeof(struct fuse_mknod_in)},
    [FUSE_MKDIR] = {CHANGES, 1, sizeof(struct fuse_mkdir_in)},
    [FUSE_UNLINK] = {CHANGES, 1, 0},
    [FUSE_RMDIR] = {CHANGES, 1, 0},
    [FUSE_RENAME] = {CHANGES, 2, sizeof(struct fuse_rename_in)},
    [FUSE_RENAME2] = {CHANGES, 2, sizeof(struct fuse_rename2_in)},
    [FUSE_LINK] = {CHANGES, 1, sizeof(struct fuse_link_in)},
    [FUSE_OPEN] = {KNOWN, 0, sizeof(struct fuse_open_in)},
    [FUSE_READ] = {KNOWN, 0, sizeof(struct fuse_read_in)},
    [FUSE_WRITE] = {CHANGES, 0, sizeof(struct fuse_write_in)},
    [FUSE_STATFS] = {KNOWN, 0, 0},
    [FUSE_RELEASE] = {KNOWN, 0, sizeof(struct fuse_release_in)},
    [FUSE_FSYNC] = {KNOWN, 0, sizeof(struct fuse_fsync_in)},
    [FUSE_SETXATTR] = {CHANGES, 1, SHORT_SETXATTR},
    [FUSE_GETXATTR] = {KNOWN, 1, sizeof(struct fuse_getxattr_in)},
    [FUSE_LISTXATTR] = {KNOWN, 0, sizeof(struct fuse_getxattr_in)},
    [FUSE_REMOVEXATTR] = {CHANGES, 1, 0},
    [FUSE_OPENDIR] = {KNOWN, 0, sizeof(struct fuse_open_in)},
    [FUSE_READDIR] = {KNOWN, 0, sizeof(struct fuse_read_in)},
    [FUSE_READDIRPLUS] = {KNOWN, 0, sizeof(struct fuse_read_in)},
    [FUSE_RELEASEDIR] = {KNOWN, 0, sizeof(struct fuse_release_in)},
    [FUSE_FSYNCDIR] = {KNOWN, 0, sizeof(struct fuse_fsync_in)},
    [FUSE_CREATE] = {CHANGES, 1, sizeof(struct fuse_create_in)},
    [FUSE_TMPFILE] = {CHANGES, 1, sizeof(struct fuse_create_in)},
    [FUSE_FALLOCATE] = {CHANGES, 0, sizeof(struct fuse_fallocate_in)},
    [FUSE_LSEEK] = {KNOWN, 0, sizeof(struct fuse_lseek_in)},
    [FUSE_COPY_FILE_RANGE] = {CHANGES, 0, sizeof(struct fuse_copy_file_range_in)},
};

static struct shape shape_of(uint32_t opcode) {
    return opcode < sizeof shapes / sizeof *shapes ? shapes[opcode] : (struct shape){0};
}

/* Whether so many bytes may follow the arguments and names. */
static bool is_counted(uint32_t opcode, const uint8_t *arguments, size_t left) {
    struct fuse_write_in write;
    struct fuse_batch_forget_in forget;
    struct fuse_init_in init;
    uint32_t size;
    switch (opcode) {
    case FUSE_WRITE:
        memcpy(&write, arguments, sizeof write);
        return write.size == left;
    case FUSE_SETXATTR:
        memcpy(&size, arguments, sizeof size);
        return size <= left;
    case FUSE_BATCH_FORGET:
        memcpy(&forget, arguments, sizeof forget);
        return (uint64_t)forget.count * sizeof(struct fuse_forget_one) == left;
    case FUSE_INIT:
        memcpy(&init, arguments, SHORT_INIT);
        return left == sizeof init - SHORT_INIT || (left == 0 && !(init.flags & FUSE_INIT_EXT));
    default:
        return left == 0;
    }
}

static bool is_spoken(const uint8_t *arguments) {
    struct fuse_init_in init;
    memcpy(&init, arguments, SHORT_INIT);
    return init.major == FUSE_KERNEL_VERSION && init.minor >= OLDEST_MINOR;
}

/* What the guest's own kernel refuses on a read-only mount, should it not. */
static bool changes(uint32_t opcode, const uint8_t *arguments) {
    struct fuse_open_in open;
    if (opcode != FUSE_OPEN) {
        return (shape_of(opcode).kind & CHANGES) == CHANGES;
    }
    memcpy(&open, arguments, sizeof open);
    return (open.flags & O_ACCMODE) != O_RDONLY || open.flags & O_TRUNC;
}

int check_request(const uint8_t *message, size_t length, bool read_only) {
    struct fuse_in_header header;
    if (length < sizeof header) {
        return EINVAL;
    }
    memcpy(&header, message, sizeof header);
    struct shape shape = shape_of(header.opcode);
    if (!shape.kind) {
        return ENOSYS;
    }
    if (header.len != length || length - sizeof header < shape.fixed) {
        return EINVAL;
    }
    const uint8_t *arguments = message + sizeof header, *at = arguments + shape.fixed, *end = message + length;
    for (unsigned i = 0; i < shape.names; i++) {
        const uint8_t *nul = memchr(at, '\0', (size_t)(end - at));
        if (!nul) {
            return EINVAL;
        }
        at = nul + 1;
    }
    if (!is_counted(header.opcode, arguments, (size_t)(end - at))) {
        return EINVAL;
    }
    if (header.opcode == FUSE_INIT && !is_spoken(arguments)) {
        return EPROTO;
    }
    return read_only && changes(header.opcode, arguments) ? EROFS : 0;
}

bool is_silent(uint32_t opcode) {
    return (shape_of(opcode).kind & SILENT) == SILENT;
}

bool is_entry_name(const char *name) {
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}
