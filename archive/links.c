#include "links.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Past this many the names are packed as files of their own: right, only larger. */
enum { FIRST_ROOM = 256, MOST = 1 << 20 };

struct slot {
    dev_t device;
    ino_t inode;
    char *path; /* NULL: free */
};

struct links {
    size_t count, room; /* a power of two */
    struct slot *slots;
};

static struct slot *slot_of(const struct links *links, dev_t device, ino_t inode) {
    size_t at = (size_t)(((uint64_t)inode ^ (uint64_t)device << 32) * 0x9e3779b97f4a7c15u >> 20);
    for (;; at++) {
        struct slot *slot = &links->slots[at & (links->room - 1)];
        if (slot->path == NULL || (slot->device == device && slot->inode == inode))
            return slot;
    }
}

static struct slot *grow(struct links *links) {
    struct links larger = {links->count, links->room * 2, calloc(links->room * 2, sizeof *larger.slots)};
    if (larger.slots == NULL)
        return NULL;
    for (size_t i = 0; i < links->room; i++)
        if (links->slots[i].path != NULL)
            *slot_of(&larger, links->slots[i].device, links->slots[i].inode) = links->slots[i];
    free(links->slots);
    *links = larger;
    return larger.slots;
}

static struct links *links_new(void) {
    struct links *links = calloc(1, sizeof *links);
    if (links == NULL)
        return NULL;
    *links = (struct links){0, FIRST_ROOM, calloc(FIRST_ROOM, sizeof *links->slots)};
    if (links->slots != NULL)
        return links;
    free(links);
    return NULL;
}

const char *links_find(struct links **at, dev_t device, ino_t inode, const char *path) {
    if (*at == NULL)
        *at = links_new();
    struct links *links = *at;
    if (links == NULL)
        return NULL;
    struct slot *slot = slot_of(links, device, inode);
    if (slot->path != NULL)
        return slot->path;
    if (links->count == MOST || (links->count * 2 >= links->room && grow(links) == NULL))
        return NULL;
    char *copy = strdup(path);
    if (copy != NULL) {
        *slot_of(links, device, inode) = (struct slot){device, inode, copy};
        links->count++;
    }
    return NULL;
}

void links_free(struct links **at) {
    if (*at == NULL)
        return;
    for (size_t i = 0; i < (*at)->room; i++)
        free((*at)->slots[i].path);
    free((*at)->slots);
    free(*at);
    *at = NULL;
}
