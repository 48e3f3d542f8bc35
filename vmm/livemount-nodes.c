#include "livemount-nodes.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT_ID 1u
#define FIRST_BUCKETS 1024u
/* No path of the host is longer. */
#define MAX_DEPTH 2048u

struct node {
    uint64_t id, lookups;
    struct node *parent; /* NULL: the root, or a file without a name */
    char *name;
    struct identity identity;
    struct version version;
    unsigned users, children;
    int fd;
    bool by_identity; /* is in that table */
    bool unverified;  /* any file of its type will do */
    bool has_version;
    struct node *next_id, *next_identity, *older, *newer;
};

static struct {
    pthread_mutex_t lock;
    struct node **ids, **identities;
    size_t buckets, count;
    uint64_t next_id;
    struct node root;
    struct node *oldest, *newest; /* of those that have a descriptor and can get it again */
    unsigned open, most_open;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

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

static bool same(const struct identity *a, const struct identity *b) {
    return a->device == b->device && a->inode == b->inode && a->born_seconds == b->born_seconds &&
           a->born_nanoseconds == b->born_nanoseconds && a->type == b->type;
}

int look(int directory, const char *name, struct statx *info) {
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
    return statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, info) == 0 ? 0 : errno;
}

static size_t mix(uint64_t value) {
    return (size_t)((value * 0x9e3779b97f4a7c15ull) >> 20) & (table.buckets - 1);
}

static size_t identity_bucket(const struct identity *identity) {
    return mix(identity->inode ^ identity->device << 40);
}

static struct node *find_id(uint64_t id) {
    struct node *node = id == ROOT_ID ? &table.root : table.ids[mix(id)];
    while (node && node->id != id) {
        node = node->next_id;
    }
    return node;
}

static struct node *find_identity(const struct identity *identity) {
    if (same(identity, &table.root.identity)) {
        return &table.root;
    }
    struct node *node = table.identities[identity_bucket(identity)];
    while (node && !same(identity, &node->identity)) {
        node = node->next_identity;
    }
    return node;
}

static void enter_id(struct node *node) {
    struct node **bucket = &table.ids[mix(node->id)];
    node->next_id = *bucket;
    *bucket = node;
}

static void enter_identity(struct node *node) {
    struct node **bucket = &table.identities[identity_bucket(&node->identity)];
    node->next_identity = *bucket;
    *bucket = node;
    node->by_identity = true;
}

static void leave_id(struct node *node) {
    struct node **at = &table.ids[mix(node->id)];
    while (*at && *at != node) {
        at = &(*at)->next_id;
    }
    if (*at) {
        *at = node->next_id;
    }
}

static void leave_identity(struct node *node) {
    struct node **at = &table.identities[identity_bucket(&node->identity)];
    while (node->by_identity && *at && *at != node) {
        at = &(*at)->next_identity;
    }
    if (node->by_identity && *at) {
        *at = node->next_identity;
    }
    node->by_identity = false;
}

static bool grow(void) {
    size_t buckets = table.buckets ? table.buckets * 4 : FIRST_BUCKETS, old = table.buckets;
    struct node **ids = calloc(buckets, sizeof *ids), **identities = calloc(buckets, sizeof *identities), **before = table.ids;
    if (!ids || !identities) {
        free(ids);
        free(identities);
        return table.buckets > 0;
    }
    free(table.identities);
    table.ids = ids;
    table.identities = identities;
    table.buckets = buckets;
    for (size_t i = 0; i < old; i++) {
        for (struct node *node = before[i], *next; node; node = next) {
            next = node->next_id;
            enter_id(node);
            if (node->by_identity) {
                enter_identity(node);
            }
        }
    }
    free(before);
    return true;
}

bool nodes_init(int root, unsigned most_open) {
    struct statx info;
    if (!grow() || look(root, "", &info) != 0 || !S_ISDIR(info.stx_mode)) {
        return false;
    }
    table.root = (struct node){.id = ROOT_ID, .lookups = 1, .fd = root, .identity = identity_of(&info)};
    table.next_id = ROOT_ID + 1;
    table.most_open = most_open;
    return true;
}

static void unlink_age(struct node *node) {
    *(node->older ? &node->older->newer : &table.oldest) = node->newer;
    *(node->newer ? &node->newer->older : &table.newest) = node->older;
    node->older = node->newer = NULL;
}

static void append_age(struct node *node) {
    node->older = table.newest;
    node->newer = NULL;
    *(table.newest ? &table.newest->newer : &table.oldest) = node;
    table.newest = node;
}

static bool can_reopen(const struct node *node) {
    return node->parent != NULL;
}

static void set_fd(struct node *node, int fd) {
    node->fd = fd;
    table.open++;
    if (can_reopen(node)) {
        append_age(node);
    }
}

static void drop_fd(struct node *node) {
    if (node->fd < 0 || node->id == ROOT_ID) {
        return;
    }
    if (can_reopen(node)) {
        unlink_age(node);
    }
    close_fd(&node->fd);
    table.open--;
}

static void close_old(void) {
    for (struct node *node = table.oldest, *next; node && table.open >= table.most_open; node = next) {
        next = node->newer;
        if (node->users == 0) {
            drop_fd(node);
        }
    }
}

static void set_place(struct node *node, struct node *parent, char *name) {
    int fd = node->fd;
    if (fd >= 0 && can_reopen(node) != (parent != NULL)) {
        can_reopen(node) ? unlink_age(node) : append_age(node);
    }
    if (parent) {
        parent->children++;
    }
    struct node *before = node->parent;
    free(node->name);
    node->parent = parent;
    node->name = name;
    if (before) {
        before->children--;
    }
}

/* A node nobody needs goes, and its parent may have stayed only for it. */
static void release(struct node *node) {
    while (node && node->id != ROOT_ID && node->lookups == 0 && node->users == 0 && node->children == 0) {
        struct node *parent = node->parent;
        drop_fd(node);
        leave_identity(node);
        leave_id(node);
        set_place(node, NULL, NULL);
        free(node);
        table.count--;
        node = parent;
    }
}

static struct node *add(uint64_t id, const struct identity *identity) {
    if (table.count >= MAX_NODES || (table.count >= 2 * table.buckets && !grow())) {
        return NULL;
    }
    struct node *node = calloc(1, sizeof *node);
    if (node) {
        *node = (struct node){.id = id, .fd = -1, .identity = *identity};
        enter_id(node);
        table.count++;
    }
    return node;
}

static int open_entry(int directory, const char *name) {
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
}

/* The file under the remembered name must be the one that was seen there. */
static int verify(struct node *node, int fd) {
    struct statx info;
    int error = look(fd, "", &info);
    struct identity found = error ? (struct identity){0} : identity_of(&info);
    if (error || (node->unverified ? found.type != node->identity.type : !same(&found, &node->identity))) {
        return ESTALE;
    }
    if (node->unverified) {
        node->unverified = false;
        node->identity = found;
        if (!find_identity(&found)) {
            enter_identity(node);
        }
    }
    return 0;
}

static int open_locked(struct node *node, unsigned depth) {
    if (node->fd >= 0) {
        if (can_reopen(node)) {
            unlink_age(node);
            append_age(node);
        }
        return 0;
    }
    struct node *parent = node->parent;
    if (!parent || depth > MAX_DEPTH) {
        return ESTALE;
    }
    parent->users++;
    int error = open_locked(parent, depth + 1);
    int fd = error ? -1 : open_entry(parent->fd, node->name);
    parent->users--;
    if (fd < 0) {
        bool gone = error || errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV;
        return error ? error : gone ? ESTALE : errno;
    }
    error = verify(node, fd);
    if (error) {
        close(fd);
        return error;
    }
    close_old();
    set_fd(node, fd);
    return 0;
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
