/* Operations on open files. */
#include "livemount-handles.h"
#include "livemount-server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define OPEN_FLAGS (O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC)

int live_open(const struct request *request, struct answer *answer) {
    const struct fuse_open_in *in = request->arguments;
    struct fuse_open_out *out = (struct fuse_open_out *)answer->bytes;
    struct node *node = node_get(request->header.nodeid);
    uint32_t flags = in->flags & OPEN_FLAGS;
    struct statx info;
    uint64_t id;
    int path, error = node ? node_check(node) : ENOENT;
    error = error ? error : node_open(node, &path);
    /* Opening anything else could do something on the host. */
    error = error ? error : node_type(node) == S_IFDIR ? EISDIR : node_type(node) != S_IFREG ? EPERM : 0;
    int fd = error ? -error : reopen(path, (int)flags);
    bool unchanged = fd >= 0 && look(fd, "", &info) == 0 && node_unchanged(node, &info);
    error = fd < 0 ? -fd : handle_new(request->header.nodeid, fd, flags & ~(uint32_t)O_TRUNC, false, &id);
    if (!error) {
        *out = (struct fuse_open_out){.fh = id, .open_flags = unchanged ? FOPEN_KEEP_CACHE : 0};
        answer->length = sizeof *out;
    }
    node_put(node);
    return error;
}

/* The descriptor of an open file, to be given back with the handle; or a negative errno. */
static int take(uint64_t id, struct handle **handle) {
    *handle = handle_get(id, false);
    return *handle ? handle_fd(*handle) : -EBADF;
}

int live_read(const struct request *request, struct answer *answer) {
    const struct fuse_read_in *in = request->arguments;
    struct handle *handle;
    int fd = take(in->fh, &handle);
    size_t wanted = in->size < LIVE_MAX_DATA ? in->size : LIVE_MAX_DATA;
    ssize_t n = fd < 0 ? 0 : pread(fd, answer->bytes, wanted, (off_t)in->offset);
    int error = fd < 0 ? -fd : n < 0 ? errno : 0;
    answer->length = error ? 0 : (size_t)n;
    handle_put(handle);
    return error;
}

/* Appending is the host's business: others may append too. Pages of a mapping have their place all the same. */
int live_write(const struct request *request, struct answer *answer) {
    const struct fuse_write_in *in = request->arguments;
    struct fuse_write_out *out = (struct fuse_write_out *)answer->bytes;
    struct handle *handle;
    int fd = take(in->fh, &handle);
    bool append = in->flags & O_APPEND && !(in->write_flags & FUSE_WRITE_CACHE);
    struct iovec piece = {(void *)(uintptr_t)request->data, in->size};
    int error = fd < 0 ? -fd : in->size > request->data_length ? EINVAL : 0;
    ssize_t n = error ? 0 : pwritev2(fd, &piece, 1, (off_t)in->offset, append ? RWF_APPEND : 0);
    error = n < 0 ? errno : error;
    if (!error) {
        *out = (struct fuse_write_out){.size = (uint32_t)n};
        answer->length = sizeof *out;
    }
    handle_put(handle);
    return error;
}

int live_fsync(const struct request *request, struct answer *answer) {
    const struct fuse_fsync_in *in = request->arguments;
    struct handle *handle = handle_get(in->fh, request->header.opcode == FUSE_FSYNCDIR);
    int fd = handle ? handle_fd(handle) : -EBADF;
    int failed = fd < 0 ? 0 : in->fsync_flags & FUSE_FSYNC_FDATASYNC ? fdatasync(fd) : fsync(fd);
    int error = fd < 0 ? -fd : failed ? errno : 0;
    (void)answer;
    handle_put(handle);
    return error;
}

int live_fallocate(const struct request *request, struct answer *answer) {
    const struct fuse_fallocate_in *in = request->arguments;
    struct handle *handle;
    int fd = take(in->fh, &handle);
    int failed = fd < 0 ? 0 : fallocate(fd, (int)in->mode, (off_t)in->offset, (off_t)in->length);
    int error = fd < 0 ? -fd : failed ? errno : 0;
    (void)answer;
    handle_put(handle);
    return error;
}

int live_lseek(const struct request *request, struct answer *answer) {
    const struct fuse_lseek_in *in = request->arguments;
    struct fuse_lseek_out *out = (struct fuse_lseek_out *)answer->bytes;
    struct handle *handle;
    int fd = in->whence == SEEK_DATA || in->whence == SEEK_HOLE ? 0 : -EINVAL;
    handle = NULL;
    fd = fd < 0 ? fd : take(in->fh, &handle);
    off_t at = fd < 0 ? 0 : lseek(fd, (off_t)in->offset, (int)in->whence);
    int error = fd < 0 ? -fd : at < 0 ? errno : 0;
    if (!error) {
        *out = (struct fuse_lseek_out){.offset = (uint64_t)at};
        answer->length = sizeof *out;
    }
    handle_put(handle);
    return error;
}

int live_copy(const struct request *request, struct answer *answer) {
    const struct fuse_copy_file_range_in *in = request->arguments;
    struct fuse_write_out *out = (struct fuse_write_out *)answer->bytes;
    struct handle *from, *to;
    off_t read_at = (off_t)in->off_in, write_at = (off_t)in->off_out;
    /* The answer counts in 32 bits; and nothing else waits behind one long copy. */
    size_t wanted = in->len < (64u << 20) ? in->len : 64u << 20;
    int source = take(in->fh_in, &from), target = take(in->fh_out, &to);
    int error = source < 0 ? -source : target < 0 ? -target : in->flags ? EINVAL : 0;
    ssize_t n = error ? 0 : copy_file_range(source, &read_at, target, &write_at, wanted, 0);
    error = n < 0 ? errno : error;
    if (!error) {
        *out = (struct fuse_write_out){.size = (uint32_t)n};
        answer->length = sizeof *out;
    }
    handle_put(from);
    handle_put(to);
    return error;
}

int live_release(const struct request *request, struct answer *answer) {
    const struct fuse_release_in *in = request->arguments;
    (void)answer;
    handle_close(in->fh, request->header.opcode == FUSE_RELEASEDIR);
    return 0;
}
