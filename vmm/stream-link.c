/* The link itself: its handshake, what is read for it and what is to be written. */
#include "stream-internal.h"

#include <stdlib.h>

struct link *link_new(enum link_role role, const uint8_t key[LINK_KEY_BYTES],
                      const struct link_events *events, void *context) {
    struct link *link = malloc(sizeof *link);
    if (link == NULL)
        return NULL;
    /* Not the queue: its pages are touched only when they are used. */
    memset(link, 0, offsetof(struct link, queue) + offsetof(struct queue, bytes));
    link->role = role;
    link->state = role == LINK_HOST ? DOWN : SEEKING;
    link->events = *events;
    link->context = context;
    memcpy(link->key, key, LINK_KEY_BYTES);
    return link;
}

/* Forget all that was in the middle of something. */
static void start_anew(struct link *link, enum link_state state) {
    link->state = state;
    link->generation++;
    link->scan = (struct scan){.tail_length = 0};
    link->next_length = link->header_length = 0;
    link->body_left = 0;
    link->next_id = link->role == LINK_HOST ? 1 : 2;
    link->overflowed = false;
    link_end_all(link);
}

void link_free(struct link *link) {
    if (link == NULL)
        return;
    link_enter(link);
    link->state = DOWN;
    link_end_all(link);
    link_leave(link);
    free(link);
}

/* While a handshake is on its way a second one would find the guest holding one of two keys. */
void link_start(struct link *link, const uint8_t next[LINK_KEY_BYTES]) {
    if (link->role != LINK_HOST || link->state == SEEKING)
        return;
    link_enter(link);
    start_anew(link, SEEKING);
    queue_clear(&link->queue);
    memcpy(link->next, next, LINK_KEY_BYTES);
    queue_put(&link->queue, QUEUE_LIMIT, link->key, LINK_KEY_BYTES, link->next, LINK_KEY_BYTES);
    link_leave(link);
}

bool link_is_up(const struct link *link) {
    return link->state == UP;
}

void link_key(const struct link *link, uint8_t key[LINK_KEY_BYTES]) {
    memcpy(key, link->key, LINK_KEY_BYTES);
}

/* A host waits for link_start(). A guest asks for it with GO AWAY, behind the whole frames that are
 * queued, and goes on looking for the key, of which the first bytes may have come already. */
static void broken(struct link *link) {
    if (link->role == LINK_HOST) {
        start_anew(link, DOWN);
        queue_clear(&link->queue);
        return;
    }
    struct scan scan = link->scan;
    bool was_up = link->state == UP;
    start_anew(link, SEEKING);
    link->scan = scan;
    link->scan.held = 0;
    if (was_up)
        link_put_control(link, FRAME_GO_AWAY, 0, 0, 1);
}

static void agree(struct link *link) {
    memcpy(link->key, link->next, LINK_KEY_BYTES);
    start_anew(link, UP);
    queue_clear(&link->queue);
    if (link->role == LINK_GUEST)
        queue_put(&link->queue, QUEUE_LIMIT, link->key, LINK_KEY_BYTES, NULL, 0);
    link->events.up(link->context);
}

static bool host_input(struct link *link, const uint8_t *bytes, size_t length) {
    if (link->state == SEEKING) {
        ssize_t behind = scan_find(&link->scan, link->next, bytes, length);
        if (behind < 0) {
            scan_remember(&link->scan, bytes, length);
            return true;
        }
        bytes += behind;
        length -= (size_t)behind;
        agree(link);
    }
    if (link->state != UP)
        return true;
    return link_take_frames(link, bytes, length);
}

/* Parse all but a possible beginning of the key, which must not leak into a stream as payload. In the
 * middle of a frame more is sure to come, so any beginning can wait; elsewhere a typed byte that
 * happens to equal the key's first must not. */
static bool guest_frames(struct link *link, const uint8_t *bytes, size_t length) {
    uint8_t before[SCAN_TAIL];
    size_t held = link->scan.held;
    memcpy(before, link->scan.tail + link->scan.tail_length - held, held);
    scan_remember(&link->scan, bytes, length);
    link->scan.held = scan_partial(&link->scan, link->key, link->body_left > held + length ? 1 : 4);
    if (link->scan.held > held + length)
        link->scan.held = held + length;
    if (link->state != UP)
        return true;
    size_t now = held + length - link->scan.held;
    size_t from_held = now < held ? now : held;
    unsigned generation = link->generation;
    if (!link_take_frames(link, before, from_held))
        return false;
    return link->generation != generation || link_take_frames(link, bytes, now - from_held);
}

static bool guest_input(struct link *link, const uint8_t *bytes, size_t length) {
    while (length > 0) {
        size_t count;
        if (link->state == TAKING) {
            count = LINK_KEY_BYTES - link->next_length;
            if (count > length)
                count = length;
            memcpy(link->next + link->next_length, bytes, count);
            link->next_length += count;
            if (link->next_length == LINK_KEY_BYTES)
                agree(link);
        } else {
            ssize_t behind = scan_find(&link->scan, link->key, bytes, length);
            if (behind < 0)
                return guest_frames(link, bytes, length);
            count = (size_t)behind;
            start_anew(link, TAKING);
            queue_clear(&link->queue);
        }
        bytes += count;
        length -= count;
    }
    return true;
}

bool link_input(struct link *link, const uint8_t *bytes, size_t length) {
    link_enter(link);
    bool ok = (link->role == LINK_HOST ? host_input : guest_input)(link, bytes, length);
    if (!ok || link->overflowed) {
        broken(link);
        ok = false;
    }
    link_end_finished(link);
    link_leave(link);
    return ok;
}

size_t link_output(struct link *link, const uint8_t **bytes) {
    link_enter(link);
    link_end_finished(link);
    link_leave(link);
    *bytes = link->queue.bytes + link->queue.head;
    return queue_length(&link->queue);
}

static bool wants_turn(const struct stream *stream) {
    return stream != NULL && stream->waiting && stream->send_window > 0;
}

/* One turn for each stream that waits, beginning behind the one that was served last. */
static bool serve_round(struct link *link) {
    uint64_t before = link->queue.put;
    unsigned first = link->turn;
    link->waiters = 0;
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++)
        link->waiters += wants_turn(link->streams[i]);
    for (unsigned i = 0; link->waiters > 0 && i < LINK_MAX_STREAMS && queue_room(&link->queue) > 0; i++) {
        unsigned slot = (first + i) % LINK_MAX_STREAMS;
        struct stream *stream = link->streams[slot];
        if (!wants_turn(stream))
            continue;
        link->turn = (slot + 1) % LINK_MAX_STREAMS;
        stream->waiting = false;
        link->events.writable(link->context, stream);
    }
    link->waiters = 0;
    return link->queue.put != before;
}

void link_written(struct link *link, size_t count) {
    link_enter(link);
    queue_take(&link->queue, count);
    if (link->depth == 1)
        while (queue_room(&link->queue) >= LINK_MAX_DATA && serve_round(link))
            continue;
    link_leave(link);
}
