/*
 * What the guest's kernel knows by node id: files of the shared directory. A node remembers where it was seen (parent
 * and name) and which file that was (device, inode, birth); its O_PATH descriptor is opened when it is needed and
 * closed when too many are open, and a name that leads to another file now makes the node stale. So a table of nodes
 * can go on in another process, on the same directory or a copy of it. Safe to use from several threads.
 */
#ifndef MACHINEN_LIVEMOUNT_NODES_H
#define MACHINEN_LIVEMOUNT_NODES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define MAX_NODES (1u << 20)

struct identity {
    uint64_t device, inode;
    int64_t born_seconds;
    uint32_t born_nanoseconds;
    uint16_t type; /* S_IFMT */
};

/* When the content was last as the guest may have cached it. */
struct version {
    struct statx_timestamp modified, changed;
    uint64_t size;
};

struct node;

/* `root` stays open. `most_open`: how many descriptors may be kept. */
bool nodes_init(int root, unsigned most_open);
/* NULL: no such node. Keeps it until node_put(). */
struct node *node_get(uint64_t id);
void node_put(struct node *node);
uint64_t node_id(const struct node *node);
uint16_t node_type(const struct node *node);
/* An O_PATH descriptor that is valid until node_put(); or an errno, ESTALE when the file is no longer there. */
int node_open(struct node *node, int *fd);
/* The node of what was just seen under this name; the guest then holds it once more. An errno when there is no room.
 * Without `parent` the file has no name and `fd` (O_PATH, taken over) leads to it. */
int node_found(struct node *parent, const char *name, const struct statx *info, int fd, uint64_t *id);
/* 0, or ESTALE when its name leads to another file by now, or to none: the guest then looks again before it opens
 * what the host has replaced. A file without a name is what it is. */
int node_check(struct node *node);
void node_forget(uint64_t id, uint64_t count);
/* The entry is about to go away, or to become another: what the guest still holds of it must stay reachable. */
void node_detach(const struct node *parent, const char *name, const struct statx *info);
/* The file is found here now. */
void node_moved(struct node *parent, const char *name, const struct statx *info);
/* Whether the content is what it was the last time; remembers this version. */
bool node_unchanged(struct node *node, const struct statx *info);

struct identity identity_of(const struct statx *info);
/* statx() for one entry, or with name "" for the descriptor itself. 0 or errno. */
int look(int directory, const char *name, struct statx *info);

/* For livemount-state.c. */
struct node_record {
    uint64_t id, parent, lookups; /* parent 0: none */
    struct identity identity;
    const char *name;
};
/* Every node but the root, in any order; false stops it. */
bool nodes_each(bool (*visit)(void *context, const struct node_record *record), void *context);
/* `trusted`: the identity must be met; else whatever of this type has the name. False: it makes no sense. */
bool node_restore(const struct node_record *record, bool trusted);
void nodes_set_next_id(uint64_t id);
struct identity nodes_root(void);

#endif
