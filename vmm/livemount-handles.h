/*
 * What the guest holds open. A handle's descriptor is opened when it is first used, so that handles can go on in
 * another process; the node says which file it is. Safe to use from several threads.
 */
#ifndef MACHINEN_LIVEMOUNT_HANDLES_H
#define MACHINEN_LIVEMOUNT_HANDLES_H

#include "livemount-nodes.h"

#include <pthread.h>

struct handle {
    uint64_t id;
    struct node *node;
    int fd; /* -1: not yet */
    uint32_t flags;
    bool directory, closed;
    unsigned users;
    pthread_mutex_t order; /* of a directory's position and its reading */
};

void handles_init(unsigned most);
/* Takes `fd` (-1: to be opened when needed) and keeps the node. 0 or errno; `fd` is closed then. */
int handle_new(uint64_t node, int fd, uint32_t flags, bool directory, uint64_t *id);
/* NULL: no such handle. Keeps it until handle_put(). */
struct handle *handle_get(uint64_t id, bool directory);
void handle_put(struct handle *handle);
/* The open descriptor, or a negative errno. */
int handle_fd(struct handle *handle);
/* 0 or errno. */
int handle_sync(uint64_t id, bool directory, bool data_only);
void handle_close(uint64_t id, bool directory);

bool handles_each(bool (*visit)(void *context, const struct handle *handle), void *context);
/* Under the number it had. */
bool handle_restore(uint64_t id, uint64_t node, uint32_t flags, bool directory);

#endif
