/* Operations on open files. */
#include "livemount-handles.h"
#include "livemount-message.h"
#include "livemount-server.h"
#include "livemount-session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#define OPEN_FLAGS (O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC)

void live_open(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *file) {
    struct node *node = node_get(id);
    int flags = file->flags & OPEN_FLAGS;
    struct statx info;
    int path, error = node ? node_check(node) : ENOENT;
    error = error ? error : node_open(node, &path);
    /* Opening anything else could do something on the host. */
    error = error ? error : node_type(node) == S_IFDIR ? EISDIR : node_type(node) != S_IFREG ? EPERM : 0;
    int fd = error ? -error : reopen(path, flags);
    file->keep_cache = fd >= 0 && look(fd, "", &info) == 0 && node_unchanged(node, &info);
    error = fd < 0 ? -fd : handle_new(id, fd, (uint32_t)(flags & ~O_TRUNC), false, &file->fh);
    error ? fuse_reply_err(request, error) : fuse_reply_open(request, file);
    node_put(node);
}

/* The descriptor of an open file, to be given back with the handle; or a negative errno. */
static int take(const struct fuse_file_info *file, struct handle **handle) {
    *handle = handle_get(file->fh, false);
    return *handle ? handle_fd(*handle) : -EBADF;
}

void live_read(fuse_req_t request, fuse_ino_t id, size_t size, off_t from, struct fuse_file_info *file) {
    struct handle *handle;
    int fd = take(file, &handle);
    char *bytes = session_buffer();
    int error = fd < 0 ? -fd : !bytes ? ENOMEM : 0;
    ssize_t n = error ? 0 : pread(fd, bytes, size < LIVE_MAX_DATA ? size : LIVE_MAX_DATA, from);
    error = n < 0 ? errno : error;
    (void)id;
    error ? fuse_reply_err(request, error) : fuse_reply_buf(request, bytes, (size_t)n);
    handle_put(handle);
}

/* Appending is the host's business: others may append too. Pages of a mapping have their place all the same. */
void live_write(fuse_req_t request, fuse_ino_t id, const char *bytes, size_t size, off_t at, struct fuse_file_info *file) {
    struct handle *handle;
    int fd = take(file, &handle);
    bool append = file->flags & O_APPEND && !file->writepage;
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    ssize_t n = fd < 0 ? 0 : pwritev2(fd, &piece, 1, at, append ? RWF_APPEND : 0);
    int error = fd < 0 ? -fd : n < 0 ? errno : 0;
    (void)id;
    error ? fuse_reply_err(request, error) : fuse_reply_write(request, (size_t)n);
    handle_put(handle);
}

void live_fsync(fuse_req_t request, fuse_ino_t id, int data_only, struct fuse_file_info *file) {
    (void)id;
    fuse_reply_err(request, handle_sync(file->fh, false, data_only));
}

void live_fallocate(fuse_req_t request, fuse_ino_t id, int mode, off_t at, off_t length, struct fuse_file_info *file) {
    struct handle *handle;
    int fd = take(file, &handle);
    (void)id;
    fuse_reply_err(request, fd < 0 ? -fd : fallocate(fd, mode, at, length) == 0 ? 0 : errno);
    handle_put(handle);
}

void live_lseek(fuse_req_t request, fuse_ino_t id, off_t from, int whence, struct fuse_file_info *file) {
    struct handle *handle = NULL;
    int fd = whence == SEEK_DATA || whence == SEEK_HOLE ? take(file, &handle) : -EINVAL;
    off_t at = fd < 0 ? 0 : lseek(fd, from, whence);
    int error = fd < 0 ? -fd : at < 0 ? errno : 0;
    (void)id;
    error ? fuse_reply_err(request, error) : fuse_reply_lseek(request, at);
    handle_put(handle);
}

void live_copy(fuse_req_t request, fuse_ino_t id, off_t read_at, struct fuse_file_info *source, fuse_ino_t target_id,
               off_t write_at, struct fuse_file_info *target, size_t length, int flags) {
    struct handle *from, *to;
    /* The answer counts in 32 bits; and nothing else waits behind one long copy. */
    size_t wanted = length < (64u << 20) ? length : 64u << 20;
    int in = take(source, &from), out = take(target, &to);
    int error = in < 0 ? -in : out < 0 ? -out : flags ? EINVAL : 0;
    ssize_t n = error ? 0 : copy_file_range(in, &read_at, out, &write_at, wanted, 0);
    error = n < 0 ? errno : error;
    (void)id;
    (void)target_id;
    error ? fuse_reply_err(request, error) : fuse_reply_write(request, (size_t)n);
    handle_put(from);
    handle_put(to);
}

void live_release(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *file) {
    (void)id;
    handle_close(file->fh, false);
    fuse_reply_err(request, 0);
}
