#include "livemount-table.h"

#include <stdlib.h>

#define FIRST_BUCKETS 1024u

struct node_table table = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool same(const struct identity *a, const struct identity *b) {
    return a->device == b->device && a->inode == b->inode && a->born_seconds == b->born_seconds &&
           a->born_nanoseconds == b->born_nanoseconds && a->type == b->type;
}

static size_t mix(uint64_t value) {
    return (size_t)((value * 0x9e3779b97f4a7c15ull) >> 20) & (table.buckets - 1);
}

static size_t identity_bucket(const struct identity *identity) {
    return mix(identity->inode ^ identity->device << 40);
}

struct node *find_id(uint64_t id) {
    struct node *node = id == ROOT_ID ? &table.root : table.ids[mix(id)];
    while (node && node->id != id) {
        node = node->next_id;
    }
    return node;
}

struct node *find_identity(const struct identity *identity) {
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

void enter_identity(struct node *node) {
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

bool index_grow(void) {
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

struct node *add(uint64_t id, const struct identity *identity) {
    if (table.count >= MAX_NODES || (table.count >= 2 * table.buckets && !index_grow())) {
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

void leave_index(struct node *node) {
    leave_identity(node);
    leave_id(node);
}
