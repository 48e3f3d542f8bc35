#include "livemount-handles.h"
#include "files.h"
#include "livemount-server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Numbers are given out again: a slot is its handle's number less one. */
static struct {
    pthread_mutex_t lock;
    struct handle **slots;
    unsigned most, next;
} open_files = {.lock = PTHREAD_MUTEX_INITIALIZER};

void handles_init(unsigned most) {
    open_files.slots = calloc(most, sizeof *open_files.slots);
    open_files.most = open_files.slots ? most : 0;
}

static void destroy(struct handle *handle) {
    close_fd(&handle->fd);
    node_put(handle->node);
    pthread_mutex_destroy(&handle->order);
    free(handle);
}

static struct handle *make(uint64_t node, int fd, uint32_t flags, bool directory) {
    struct handle *handle = calloc(1, sizeof *handle);
    struct node *held = handle ? node_get(node) : NULL;
    if (!held) {
        free(handle);
        return NULL;
    }
    *handle = (struct handle){.node = held, .fd = fd, .flags = flags, .directory = directory};
    pthread_mutex_init(&handle->order, NULL);
    return handle;
}

static bool put_in(struct handle *handle, unsigned slot) {
    if (slot >= open_files.most || open_files.slots[slot]) {
        return false;
    }
    open_files.slots[slot] = handle;
    handle->id = slot + 1;
    return true;
}

int handle_new(uint64_t node, int fd, uint32_t flags, bool directory, uint64_t *id) {
    struct handle *handle = make(node, fd, flags, directory);
    bool placed = false;
    if (!handle) {
        close_fd(&fd);
        return ENOMEM;
    }
    pthread_mutex_lock(&open_files.lock);
    for (unsigned i = 0; !placed && i < open_files.most; i++) {
        unsigned slot = (open_files.next + i) % open_files.most;
        placed = put_in(handle, slot);
        open_files.next = placed ? slot + 1 : open_files.next;
    }
    *id = handle->id;
    pthread_mutex_unlock(&open_files.lock);
    if (!placed) {
        destroy(handle);
    }
    return placed ? 0 : ENFILE;
}

bool handle_restore(uint64_t id, uint64_t node, uint32_t flags, bool directory) {
    struct handle *handle = id > 0 && id <= open_files.most ? make(node, -1, flags, directory) : NULL;
    bool placed = handle && put_in(handle, (unsigned)id - 1);
    if (handle && !placed) {
        destroy(handle);
    }
    return placed;
}

struct handle *handle_get(uint64_t id, bool directory) {
    struct handle *handle = NULL;
    pthread_mutex_lock(&open_files.lock);
    if (id > 0 && id <= open_files.most && (handle = open_files.slots[id - 1])) {
        handle = handle->directory == directory ? handle : NULL;
        if (handle) {
            handle->users++;
        }
    }
    pthread_mutex_unlock(&open_files.lock);
    return handle;
}

void handle_put(struct handle *handle) {
    if (!handle) {
        return;
    }
    pthread_mutex_lock(&open_files.lock);
    bool last = --handle->users == 0 && handle->closed;
    pthread_mutex_unlock(&open_files.lock);
    if (last) {
        destroy(handle);
    }
}

int handle_fd(struct handle *handle) {
    int path, error = 0;
    pthread_mutex_lock(&handle->order);
    if (handle->fd < 0) {
        error = node_open(handle->node, &path);
        int wanted = handle->directory ? S_IFDIR : S_IFREG;
        int fd = error ? -error : node_type(handle->node) != wanted ? -ESTALE : reopen(path, (int)handle->flags);
        handle->fd = fd < 0 ? -1 : fd;
        error = fd < 0 ? -fd : 0;
    }
    int fd = handle->fd;
    pthread_mutex_unlock(&handle->order);
    return error ? -error : fd;
}

int handle_sync(uint64_t id, bool directory, bool data_only) {
    struct handle *handle = handle_get(id, directory);
    int fd = handle ? handle_fd(handle) : -EBADF;
    int error = fd < 0 ? -fd : (data_only ? fdatasync(fd) : fsync(fd)) == 0 ? 0 : errno;
    handle_put(handle);
    return error;
}

void handle_close(uint64_t id, bool directory) {
    struct handle *handle = handle_get(id, directory);
    if (!handle) {
        return;
    }
    pthread_mutex_lock(&open_files.lock);
    open_files.slots[id - 1] = handle->closed ? open_files.slots[id - 1] : NULL;
    handle->closed = true;
    pthread_mutex_unlock(&open_files.lock);
    handle_put(handle);
}

bool handles_each(bool (*visit)(void *context, const struct handle *handle), void *context) {
    bool ok = true;
    for (unsigned i = 0; ok && i < open_files.most; i++) {
        ok = !open_files.slots[i] || visit(context, open_files.slots[i]);
    }
    return ok;
}
