#include "livemount-nodes.h"
#include "files.h"
#include "livemount-table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct identity identity_of(const struct statx *info) {
    bool born = info->stx_mask & STATX_BTIME;
    return (struct identity){
        .device = (uint64_t)info->stx_dev_major << 32 | info->stx_dev_minor,
        .inode = info->stx_ino,
        .born_seconds = born ? info->stx_btime.tv_sec : 0,
        .born_nanoseconds = born ? info->stx_btime.tv_nsec : 0,
        .type = info->stx_mode & S_IFMT,
    };
}

int look(int directory, const char *name, struct statx *info) {
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
    return statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, info) == 0 ? 0 : errno;
}

bool nodes_init(int root, unsigned most_open) {
    struct statx info;
    if (!index_grow() || look(root, "", &info) != 0 || !S_ISDIR(info.stx_mode)) {
        return false;
    }
    table.root = (struct node){.id = ROOT_ID, .lookups = 1, .fd = root, .identity = identity_of(&info)};
    table.next_id = ROOT_ID + 1;
    table.most_open = most_open;
    return true;
}

/* A node nobody needs goes, and its parent may have stayed only for it. */
static void release(struct node *node) {
    while (node && node->id != ROOT_ID && node->lookups == 0 && node->users == 0 && node->children == 0) {
        struct node *parent = node->parent;
        drop_fd(node);
        leave_index(node);
        set_place(node, NULL, NULL);
        free(node);
        table.count--;
        node = parent;
    }
}

struct node *node_get(uint64_t id) {
    pthread_mutex_lock(&table.lock);
    struct node *node = find_id(id);
    if (node) {
        node->users++;
    }
    pthread_mutex_unlock(&table.lock);
    return node;
}

void node_put(struct node *node) {
    if (!node) {
        return;
    }
    pthread_mutex_lock(&table.lock);
    node->users--;
    release(node);
    pthread_mutex_unlock(&table.lock);
}

uint64_t node_id(const struct node *node) {
    return node->id;
}

uint16_t node_type(const struct node *node) {
    return node->identity.type;
}

int node_open(struct node *node, int *fd) {
    pthread_mutex_lock(&table.lock);
    int error = open_locked(node, 0);
    *fd = node->fd;
    pthread_mutex_unlock(&table.lock);
    return error;
}

int node_check(struct node *node) {
    struct statx info;
    int error = 0;
    pthread_mutex_lock(&table.lock);
    struct node *parent = node->parent;
    if (parent) {
        parent->users++;
        error = open_locked(parent, 0);
        error = error ? error : look(parent->fd, node->name, &info);
        parent->users--;
        struct identity found = error ? (struct identity){0} : identity_of(&info);
        error = error || (!node->unverified && !same(&found, &node->identity)) ? ESTALE : 0;
    }
    pthread_mutex_unlock(&table.lock);
    return error;
}

static bool is_at(const struct node *node, const struct node *parent, const char *name) {
    return node->parent == parent && node->name && strcmp(node->name, name) == 0;
}

/* A directory cannot be found below itself; a hostile host or guest might make it seem so. */
static bool is_below(const struct node *node, const struct node *ancestor) {
    for (unsigned depth = 0; node && depth <= MAX_DEPTH; depth++, node = node->parent) {
        if (node == ancestor) {
            return true;
        }
    }
    return node != NULL;
}

static void place(struct node *node, struct node *parent, const char *name) {
    if (node->id == ROOT_ID || is_at(node, parent, name) || is_below(parent, node)) {
        return;
    }
    char *copy = strdup(name);
    if (copy) {
        set_place(node, parent, copy);
    }
}

int node_found(struct node *parent, const char *name, const struct statx *info, int fd, uint64_t *id) {
    struct identity identity = identity_of(info);
    pthread_mutex_lock(&table.lock);
    struct node *node = find_identity(&identity);
    if (!node && (node = add(table.next_id, &identity))) {
        table.next_id++;
        enter_identity(node);
    }
    if (node) {
        node->lookups++;
        *id = node->id;
        if (parent) {
            place(node, parent, name);
        } else if (fd >= 0 && node->fd < 0) {
            set_fd(node, fd);
            fd = -1;
        }
    }
    pthread_mutex_unlock(&table.lock);
    close_fd(&fd);
    return node ? 0 : ENFILE;
}

void node_forget(uint64_t id, uint64_t count) {
    pthread_mutex_lock(&table.lock);
    struct node *node = id == ROOT_ID ? NULL : find_id(id);
    if (node) {
        node->lookups -= count < node->lookups ? count : node->lookups;
        release(node);
    }
    pthread_mutex_unlock(&table.lock);
}

void node_detach(const struct node *parent, const char *name, const struct statx *info) {
    struct identity identity = identity_of(info);
    pthread_mutex_lock(&table.lock);
    struct node *node = find_identity(&identity);
    if (node && node->id != ROOT_ID && is_at(node, parent, name) && open_locked(node, 0) == 0) {
        set_place(node, NULL, NULL);
    }
    pthread_mutex_unlock(&table.lock);
}

void node_moved(struct node *parent, const char *name, const struct statx *info) {
    struct identity identity = identity_of(info);
    pthread_mutex_lock(&table.lock);
    struct node *node = find_identity(&identity);
    if (node) {
        place(node, parent, name);
    }
    pthread_mutex_unlock(&table.lock);
}

/* What changed a moment ago may change again without a new time stamp. */
static bool is_settled(const struct statx_timestamp *changed) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - changed->tv_sec) * 1000000000ll + now.tv_nsec - changed->tv_nsec > 20000000ll;
}

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b) {
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool node_unchanged(struct node *node, const struct statx *info) {
    struct version now = {info->stx_mtime, info->stx_ctime, info->stx_size};
    pthread_mutex_lock(&table.lock);
    const struct version *before = &node->version;
    bool unchanged = node->has_version && same_time(&now.modified, &before->modified) &&
                     same_time(&now.changed, &before->changed) && now.size == before->size;
    node->version = now;
    node->has_version = is_settled(&now.changed);
    pthread_mutex_unlock(&table.lock);
    return unchanged;
}

static bool visit_one(struct node *node, bool (*visit)(void *, const struct node_record *), void *context) {
    struct node_record record = {node->id, node->parent ? node->parent->id : 0, node->lookups, node->identity,
                                 node->name ? node->name : ""};
    return visit(context, &record);
}

bool nodes_each(bool (*visit)(void *context, const struct node_record *record), void *context) {
    bool ok = true;
    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; ok && i < table.buckets; i++) {
        for (struct node *node = table.ids[i]; ok && node; node = node->next_id) {
            ok = visit_one(node, visit, context);
        }
    }
    pthread_mutex_unlock(&table.lock);
    return ok;
}

/* Parents may come after their children: a place holder then waits for its own record. */
static struct node *restore_id(uint64_t id) {
    static const struct identity unknown;
    struct node *node = find_id(id);
    return node ? node : add(id, &unknown);
}

bool node_restore(const struct node_record *record, bool trusted) {
    struct node *node = record->id > ROOT_ID ? restore_id(record->id) : NULL;
    struct node *parent = record->parent ? restore_id(record->parent) : NULL;
    if (!node || node->lookups > 0 || (record->parent && (!parent || is_below(parent, node)))) {
        return false;
    }
    node->lookups = record->lookups;
    node->identity = record->identity;
    node->unverified = !trusted;
    if (trusted && !find_identity(&node->identity)) {
        enter_identity(node);
    }
    char *name = parent ? strdup(record->name) : NULL;
    if (parent && !name) {
        return false;
    }
    set_place(node, parent, name);
    return true;
}

void nodes_set_next_id(uint64_t id) {
    table.next_id = id;
}

struct identity nodes_root(void) {
    return table.root.identity;
}
