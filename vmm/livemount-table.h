/* The table behind livemount-nodes.h, for the files that make it up. Who calls holds its lock. */
#ifndef MACHINEN_LIVEMOUNT_TABLE_H
#define MACHINEN_LIVEMOUNT_TABLE_H

#include "livemount-nodes.h"

#include <pthread.h>
#include <stddef.h>

#define ROOT_ID 1u
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

struct node_table {
    pthread_mutex_t lock;
    struct node **ids, **identities;
    size_t buckets, count;
    uint64_t next_id;
    struct node root;
    struct node *oldest, *newest; /* of those that have a descriptor and can get it again */
    unsigned open, most_open;
};
extern struct node_table table;

/* livemount-index.c: nodes by id and by file. */
bool index_grow(void);
struct node *find_id(uint64_t id);
struct node *find_identity(const struct identity *identity);
bool same(const struct identity *a, const struct identity *b);
/* NULL when there is no room. */
struct node *add(uint64_t id, const struct identity *identity);
void enter_identity(struct node *node);
void leave_index(struct node *node);

/* livemount-places.c: where nodes are found, and their descriptors. */
void set_place(struct node *node, struct node *parent, char *name);
void set_fd(struct node *node, int fd);
void drop_fd(struct node *node);
/* 0, or an errno; the descriptor stays while the node has users. */
int open_locked(struct node *node, unsigned depth);

#endif
