#include "livemount-state.h"
#include "livemount-handles.h"
#include "livemount-check.h"
#include "livemount-message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x31736d6du
#define MAX_ID (1ull << 62)
#define KEPT_FLAGS (O_ACCMODE | O_SYNC | O_DSYNC)

struct head {
    uint32_t magic, reserved;
    struct identity root;
    uint64_t nodes, handles;
};

struct stored_node {
    uint64_t id, parent, lookups;
    struct identity identity;
    uint32_t name_length, reserved; /* the name follows, without a NUL */
};

struct stored_handle {
    uint64_t id, node;
    uint32_t flags, directory;
};

struct writer {
    uint8_t *bytes;
    size_t length, room;
    struct head head;
};

static bool put(struct writer *writer, const void *bytes, size_t length) {
    if (writer->length + length > LIVE_MAX_STATE) {
        return false;
    }
    if (writer->length + length > writer->room) {
        size_t room = 2 * (writer->room + length) + 4096;
        uint8_t *grown = realloc(writer->bytes, room);
        if (!grown) {
            return false;
        }
        writer->bytes = grown;
        writer->room = room;
    }
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
    return true;
}

static bool put_node(void *context, const struct node_record *record) {
    struct writer *writer = context;
    struct stored_node stored = {.id = record->id,
                                 .parent = record->parent,
                                 .lookups = record->lookups,
                                 .identity = record->identity,
                                 .name_length = (uint32_t)strlen(record->name)};
    writer->head.nodes++;
    return put(writer, &stored, sizeof stored) && put(writer, record->name, stored.name_length);
}

static bool put_handle(void *context, const struct handle *handle) {
    struct writer *writer = context;
    struct stored_handle stored = {handle->id, node_id(handle->node), handle->flags, handle->directory};
    writer->head.handles++;
    return put(writer, &stored, sizeof stored);
}

uint8_t *state_write(size_t *length) {
    struct writer writer = {.head = {.magic = MAGIC, .root = nodes_root()}};
    if (!put(&writer, &writer.head, sizeof writer.head) || !nodes_each(put_node, &writer) ||
        !handles_each(put_handle, &writer)) {
        free(writer.bytes);
        return NULL;
    }
    memcpy(writer.bytes, &writer.head, sizeof writer.head);
    *length = writer.length;
    return writer.bytes;
}

struct reader {
    const uint8_t *bytes;
    size_t left;
};

static bool get(struct reader *reader, void *out, size_t length) {
    if (reader->left < length) {
        return false;
    }
    memcpy(out, reader->bytes, length);
    reader->bytes += length;
    reader->left -= length;
    return true;
}

static bool get_node(struct reader *reader, bool trusted, uint64_t *largest) {
    struct stored_node stored;
    char name[256];
    if (!get(reader, &stored, sizeof stored) || stored.name_length >= sizeof name ||
        !get(reader, name, stored.name_length)) {
        return false;
    }
    name[stored.name_length] = '\0';
    bool named = is_entry_name(name) && strlen(name) == stored.name_length;
    if (stored.id >= MAX_ID || stored.parent >= MAX_ID || named != (stored.parent != 0)) {
        return false;
    }
    *largest = stored.id > *largest ? stored.id : *largest;
    *largest = stored.parent > *largest ? stored.parent : *largest;
    struct node_record record = {stored.id, stored.parent, stored.lookups, stored.identity, name};
    return node_restore(&record, trusted);
}

static bool get_handle(struct reader *reader) {
    struct stored_handle stored;
    return get(reader, &stored, sizeof stored) && stored.directory <= 1 &&
           handle_restore(stored.id, stored.node, stored.directory ? O_RDONLY | O_DIRECTORY : stored.flags & KEPT_FLAGS,
                          stored.directory);
}

/* In the same directory a file must be the very one the guest had; a copy of the directory has others of its names. */
static bool is_same_root(const struct identity *recorded) {
    struct identity root = nodes_root();
    return recorded->device == root.device && recorded->inode == root.inode &&
           recorded->born_seconds == root.born_seconds && recorded->born_nanoseconds == root.born_nanoseconds;
}

bool state_read(const uint8_t *bytes, size_t length) {
    struct reader reader = {bytes, length};
    struct head head;
    uint64_t largest = 1;
    bool ok = get(&reader, &head, sizeof head) && head.magic == MAGIC && head.nodes <= MAX_NODES;
    bool trusted = ok && is_same_root(&head.root);
    for (uint64_t i = 0; ok && i < head.nodes; i++) {
        ok = get_node(&reader, trusted, &largest);
    }
    nodes_set_next_id(largest + 1);
    for (uint64_t i = 0; ok && i < head.handles; i++) {
        ok = get_handle(&reader);
    }
    return ok && reader.left == 0;
}
