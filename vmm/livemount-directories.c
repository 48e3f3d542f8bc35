/* Reading directories. The position is the host file system's own, so it holds in another process too. */
#include "livemount-check.h"
#include "livemount-handles.h"
#include "livemount-message.h"
#include "livemount-server.h"
#include "livemount-session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECE 32768u

struct listing {
    fuse_req_t request;
    int directory;
    struct node *node;
    bool plus;
    char *bytes;
    size_t length, room;
};

void live_opendir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *file) {
    struct node *node = node_get(id);
    int path, error = node ? node_check(node) : ENOENT;
    error = error ? error : node_open(node, &path);
    error = error ? error : node_type(node) != S_IFDIR ? ENOTDIR : 0;
    int fd = error ? -error : reopen(path, O_RDONLY | O_DIRECTORY);
    error = fd < 0 ? -fd : handle_new(id, fd, O_RDONLY | O_DIRECTORY, true, &file->fh);
    error ? fuse_reply_err(request, error) : fuse_reply_open(request, file);
    node_put(node);
}

/* With what the guest would ask next. What is gone meanwhile, or the links of the directory itself, come bare. */
static void describe(const struct listing *listing, const char *name, struct fuse_entry_param *entry) {
    struct statx info;
    uint64_t id;
    if (is_entry_name(name) && look(listing->directory, name, &info) == 0 &&
        node_found(listing->node, name, &info, -1, &id) == 0) {
        *entry = shown_entry(id, &info);
    }
}

/* False when there is no room for it. */
static bool put(struct listing *listing, const struct dirent64 *entry) {
    struct fuse_entry_param shown = {.attr = {.st_ino = entry->d_ino, .st_mode = DTTOIF(entry->d_type)}};
    const char *name = entry->d_name;
    char *at = listing->bytes + listing->length;
    size_t room = listing->room - listing->length;
    size_t size = listing->plus ? fuse_add_direntry_plus(listing->request, NULL, 0, name, NULL, 0)
                                : fuse_add_direntry(listing->request, NULL, 0, name, NULL, 0);
    if (size > room) {
        return false;
    }
    if (listing->plus) {
        describe(listing, name, &shown);
        fuse_add_direntry_plus(listing->request, at, room, name, &shown, entry->d_off);
    } else {
        fuse_add_direntry(listing->request, at, room, name, &shown.attr, entry->d_off);
    }
    listing->length += size;
    return true;
}

static int list(struct listing *listing, off_t from) {
    static _Thread_local char piece[PIECE] __attribute__((aligned(8)));
    if (lseek(listing->directory, from, SEEK_SET) < 0) {
        return errno;
    }
    /* An entry with its name is at most this large, so what is read has a place. */
    size_t part = listing->plus ? listing->room / 8 : listing->room;
    part = part < 2048 ? 2048 : part > PIECE ? PIECE : part;
    for (;;) {
        long n = syscall(SYS_getdents64, listing->directory, piece, part);
        if (n <= 0) {
            return n < 0 && listing->length == 0 ? errno : 0;
        }
        for (long at = 0; at < n;) {
            const struct dirent64 *entry = (const struct dirent64 *)(piece + at);
            if (!put(listing, entry)) {
                return 0;
            }
            at += entry->d_reclen;
        }
    }
}

static void read_directory(fuse_req_t request, size_t size, off_t from, const struct fuse_file_info *file, bool plus) {
    struct handle *handle = handle_get(file->fh, true);
    int fd = handle ? handle_fd(handle) : -EBADF;
    struct listing listing = {.request = request,
                              .directory = fd,
                              .node = handle ? handle->node : NULL,
                              .plus = plus,
                              .bytes = session_buffer(),
                              .room = size < LIVE_MAX_DATA ? size : LIVE_MAX_DATA};
    int error = fd < 0 ? -fd : !listing.bytes ? ENOMEM : 0;
    if (!error) {
        pthread_mutex_lock(&handle->order);
        error = list(&listing, from);
        pthread_mutex_unlock(&handle->order);
    }
    error ? fuse_reply_err(request, error) : fuse_reply_buf(request, listing.bytes, listing.length);
    handle_put(handle);
}

void live_readdir(fuse_req_t request, fuse_ino_t id, size_t size, off_t from, struct fuse_file_info *file) {
    (void)id;
    read_directory(request, size, from, file, false);
}

void live_readdirplus(fuse_req_t request, fuse_ino_t id, size_t size, off_t from, struct fuse_file_info *file) {
    (void)id;
    read_directory(request, size, from, file, true);
}

void live_fsyncdir(fuse_req_t request, fuse_ino_t id, int data_only, struct fuse_file_info *file) {
    (void)id;
    fuse_reply_err(request, handle_sync(file->fh, true, data_only));
}

void live_releasedir(fuse_req_t request, fuse_ino_t id, struct fuse_file_info *file) {
    (void)id;
    handle_close(file->fh, true);
    fuse_reply_err(request, 0);
}
