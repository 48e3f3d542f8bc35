/* Reading directories. The position is the host file system's own, so it holds in another process too. */
#include "livemount-handles.h"
#include "livemount-server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECE 32768u

struct listing {
    int directory;
    struct node *node;
    bool plus;
    uint8_t *bytes;
    size_t length, room;
};

int live_opendir(const struct request *request, struct answer *answer) {
    struct fuse_open_out *out = (struct fuse_open_out *)answer->bytes;
    struct node *node = node_get(request->header.nodeid);
    uint64_t id;
    int path, error = node ? node_check(node) : ENOENT;
    error = error ? error : node_open(node, &path);
    error = error ? error : node_type(node) != S_IFDIR ? ENOTDIR : 0;
    int fd = error ? -error : reopen(path, O_RDONLY | O_DIRECTORY);
    error = fd < 0 ? -fd : handle_new(request->header.nodeid, fd, O_RDONLY | O_DIRECTORY, true, &id);
    if (!error) {
        *out = (struct fuse_open_out){.fh = id};
        answer->length = sizeof *out;
    }
    node_put(node);
    return error;
}

static void put_dirent(struct fuse_dirent *out, const struct dirent64 *entry, size_t name_length) {
    *out = (struct fuse_dirent){.ino = entry->d_ino,
                                .off = (uint64_t)entry->d_off,
                                .namelen = (uint32_t)name_length,
                                .type = entry->d_type};
    memcpy(out->name, entry->d_name, name_length);
}

/* With what the guest would ask next. What is gone meanwhile, or the links of the directory itself, come bare. */
static void describe(struct listing *listing, const char *name, struct fuse_entry_out *out) {
    struct statx info;
    uint64_t id;
    *out = (struct fuse_entry_out){0};
    if (message_is_entry_name(name) && look(listing->directory, name, &info) == 0 &&
        node_found(listing->node, name, &info, -1, &id) == 0) {
        fill_entry(out, id, &info);
    }
}

/* False when there is no room for it. */
static bool put(struct listing *listing, const struct dirent64 *entry) {
    size_t name_length = strlen(entry->d_name), head = listing->plus ? sizeof(struct fuse_entry_out) : 0;
    size_t size = FUSE_DIRENT_ALIGN(head + FUSE_NAME_OFFSET + name_length);
    uint8_t *at = listing->bytes + listing->length;
    if (listing->length + size > listing->room) {
        return false;
    }
    memset(at, 0, size);
    if (listing->plus) {
        describe(listing, entry->d_name, (struct fuse_entry_out *)at);
    }
    put_dirent((struct fuse_dirent *)(at + head), entry, name_length);
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

static int read_directory(const struct request *request, struct answer *answer, bool plus) {
    const struct fuse_read_in *in = request->arguments;
    struct handle *handle = handle_get(in->fh, true);
    int fd = handle ? handle_fd(handle) : -EBADF;
    struct listing listing = {.directory = fd,
                              .node = handle ? handle->node : NULL,
                              .plus = plus,
                              .bytes = answer->bytes,
                              .room = in->size < LIVE_MAX_DATA ? in->size : LIVE_MAX_DATA};
    int error = fd < 0 ? -fd : 0;
    if (!error) {
        pthread_mutex_lock(&handle->order);
        error = list(&listing, (off_t)in->offset);
        pthread_mutex_unlock(&handle->order);
    }
    answer->length = error ? 0 : listing.length;
    handle_put(handle);
    return error;
}

int live_readdir(const struct request *request, struct answer *answer) {
    return read_directory(request, answer, false);
}

int live_readdirplus(const struct request *request, struct answer *answer) {
    return read_directory(request, answer, true);
}
