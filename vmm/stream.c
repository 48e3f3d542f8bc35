#include "stream.h"

#include "stream-queue.h"
#include "stream-scan.h"

#include <stdlib.h>

enum { FRAME_DATA, FRAME_WINDOW, FRAME_PING, FRAME_GO_AWAY };
enum { FLAG_SYN = 1, FLAG_ACK = 2, FLAG_FIN = 4, FLAG_RST = 8 };
enum { HEADER_BYTES = 12, PORT_BYTES = 2 };

/* What one stream may queue in its turn while others wait too. */
#define TURN_BYTES LINK_MAX_DATA
/* Announce room in pieces of this size, not after every byte. */
#define CREDIT_STEP (LINK_WINDOW / 4u)

struct stream {
    struct link *link;
    void *data;
    struct stream *next_dead;
    uint32_t id;
    uint32_t send_window;    /* what the peer lets us send */
    uint32_t receive_window; /* what we let the peer send */
    uint32_t unconsumed;     /* delivered, stream_consumed() still to come */
    uint32_t credit;         /* consumed, not announced yet */
    uint64_t queued_to;      /* queue position behind our last frame */
    uint8_t port[PORT_BYTES];
    uint8_t port_length;
    bool finished_by_us, finished_by_peer, waiting, dead;
};

enum state {
    DOWN,    /* host: discard until link_start() */
    SEEKING, /* discard until `sought` has come */
    TAKING,  /* guest: the next key follows */
    UP,
};

struct link {
    enum link_role role;
    enum state state;
    struct link_events events;
    void *context;
    uint8_t key[LINK_KEY_BYTES];  /* agreed */
    uint8_t next[LINK_KEY_BYTES]; /* offered (host), arriving (guest) */
    size_t next_length;
    struct scan scan;
    unsigned generation; /* changes when the parser starts anew */

    uint8_t header[HEADER_BYTES];
    size_t header_length;
    uint32_t body_left;
    struct stream *body_of; /* NULL: a stream that is gone, skip */

    struct stream *streams[LINK_MAX_STREAMS];
    unsigned stream_count;
    uint32_t next_id;
    unsigned turn;    /* slot to be served first */
    unsigned waiters; /* of the round being served; limits each turn when above one */
    bool ended;       /* some stream was finished by both sides outside link_input() */
    bool overflowed;  /* something that must be said found no room */
    unsigned depth;   /* calls in progress: dead streams are freed at zero */
    struct stream *dead;
    struct queue queue;
};

static void put_u16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value) {
    put_u16(at, value >> 16);
    put_u16(at + 2, value & 0xffff);
}

static unsigned get_u16(const uint8_t *at) {
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get_u32(const uint8_t *at) {
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

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

static void enter(struct link *link) {
    link->depth++;
}

static void leave(struct link *link) {
    if (--link->depth > 0)
        return;
    while (link->dead != NULL) {
        struct stream *stream = link->dead;
        link->dead = stream->next_dead;
        free(stream);
    }
}

static struct stream **slot_of(struct link *link, uint32_t id) {
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++)
        if (link->streams[i] != NULL && link->streams[i]->id == id)
            return &link->streams[i];
    return NULL;
}

static struct stream *find(struct link *link, uint32_t id) {
    struct stream **slot = slot_of(link, id);
    return slot == NULL ? NULL : *slot;
}

static void make_header(uint8_t header[HEADER_BYTES], unsigned type, unsigned flags, uint32_t id,
                        uint32_t value) {
    header[0] = 0;
    header[1] = (uint8_t)type;
    put_u16(header + 2, flags);
    put_u32(header + 4, id);
    put_u32(header + 8, value);
}

static bool put_data(struct stream *stream, const void *bytes, size_t length) {
    uint8_t header[HEADER_BYTES];
    make_header(header, FRAME_DATA, 0, stream->id, (uint32_t)length);
    return queue_put(&stream->link->queue, QUEUE_LIMIT, header, sizeof header, bytes, length);
}

/* An answer the peer asked for: without room for it the peer asks without reading. */
static bool put_answer(struct link *link, unsigned type, unsigned flags, uint32_t id, uint32_t value) {
    uint8_t header[HEADER_BYTES];
    make_header(header, type, flags, id, value);
    return queue_put(&link->queue, QUEUE_LIMIT, header, sizeof header, NULL, 0);
}

/* What must not be lost has room of its own. */
static void put_control(struct link *link, unsigned type, unsigned flags, uint32_t id, uint32_t value) {
    uint8_t header[HEADER_BYTES];
    make_header(header, type, flags, id, value);
    if (!queue_put(&link->queue, QUEUE_CAPACITY, header, sizeof header, NULL, 0))
        link->overflowed = true;
}

static struct stream *add_stream(struct link *link, uint32_t id) {
    if (link->stream_count == LINK_MAX_STREAMS)
        return NULL;
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->link = link;
    stream->id = id;
    stream->send_window = stream->receive_window = LINK_WINDOW;
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++) {
        if (link->streams[i] == NULL) {
            link->streams[i] = stream;
            break;
        }
    }
    link->stream_count++;
    return stream;
}

/* The memory stays until no call on the link is in progress, so that callbacks may reset anything. */
static void remove_stream(struct stream *stream) {
    struct link *link = stream->link;
    *slot_of(link, stream->id) = NULL;
    link->stream_count--;
    if (link->body_of == stream)
        link->body_of = NULL;
    stream->dead = stream->finished_by_us = true;
    stream->next_dead = link->dead;
    link->dead = stream;
}

static bool was_opened(const struct stream *stream) {
    return stream->port_length == PORT_BYTES;
}

static void end_stream(struct stream *stream, bool clean) {
    struct link *link = stream->link;
    bool known = was_opened(stream);
    remove_stream(stream);
    if (known)
        link->events.gone(link->context, stream, clean);
}

static void end_all(struct link *link) {
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++)
        if (link->streams[i] != NULL)
            end_stream(link->streams[i], false);
}

/* Forget all that was in the middle of something. */
static void start_anew(struct link *link, enum state state) {
    link->state = state;
    link->generation++;
    link->scan = (struct scan){.tail_length = 0};
    link->next_length = link->header_length = 0;
    link->body_left = 0;
    link->next_id = link->role == LINK_HOST ? 1 : 2;
    link->overflowed = false;
    end_all(link);
}

void link_free(struct link *link) {
    if (link == NULL)
        return;
    enter(link);
    link->state = DOWN;
    end_all(link);
    leave(link);
    free(link);
}

/* While a handshake is on its way a second one would find the guest holding one of two keys. */
void link_start(struct link *link, const uint8_t next[LINK_KEY_BYTES]) {
    if (link->role != LINK_HOST || link->state == SEEKING)
        return;
    enter(link);
    start_anew(link, SEEKING);
    queue_clear(&link->queue);
    memcpy(link->next, next, LINK_KEY_BYTES);
    queue_put(&link->queue, QUEUE_LIMIT, link->key, LINK_KEY_BYTES, link->next, LINK_KEY_BYTES);
    leave(link);
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
        put_control(link, FRAME_GO_AWAY, 0, 0, 1);
}

static void reset(struct stream *stream) {
    struct link *link = stream->link;
    put_control(link, FRAME_WINDOW, FLAG_RST, stream->id, 0);
    remove_stream(stream);
}

/* The first bytes name the port; they are ours to consume. */
static void take_port(struct stream *stream, uint8_t byte) {
    struct link *link = stream->link;
    stream->port[stream->port_length++] = byte;
    stream->unconsumed++;
    stream_consumed(stream, 1);
    if (!was_opened(stream))
        return;
    uint16_t port = (uint16_t)get_u16(stream->port);
    if (!link->events.opened(link->context, stream, port) && !stream->dead)
        reset(stream);
}

static void take_body(struct link *link, const uint8_t *bytes, size_t length) {
    struct stream *stream = link->body_of;
    link->body_left -= (uint32_t)length;
    while (stream != NULL && length > 0 && !was_opened(stream)) {
        take_port(stream, *bytes++);
        length--;
        stream = link->body_of;
    }
    if (stream == NULL || length == 0)
        return;
    stream->unconsumed += (uint32_t)length;
    link->events.data(link->context, stream, bytes, length);
}

static void peer_finished(struct stream *stream) {
    struct link *link = stream->link;
    stream->finished_by_peer = true;
    if (!was_opened(stream)) {
        reset(stream);
        return;
    }
    link->events.finished(link->context, stream);
    if (!stream->dead && stream->finished_by_us)
        end_stream(stream, true);
}

static bool peer_opened(struct link *link, uint32_t id, unsigned flags, uint32_t length) {
    bool ours = (id & 1) == (link->role == LINK_HOST);
    if (id == 0 || ours || length != 0 || (flags & ~(unsigned)FLAG_SYN) != 0 || find(link, id) != NULL)
        return false;
    if (add_stream(link, id) == NULL)
        return put_answer(link, FRAME_WINDOW, FLAG_RST, id, 0);
    return put_answer(link, FRAME_WINDOW, FLAG_ACK, id, 0);
}

/* Flags that end something; the frame's own meaning came before them. */
static void take_end_flags(struct stream *stream, unsigned flags) {
    if (stream == NULL)
        return;
    if (flags & FLAG_RST)
        end_stream(stream, false);
    else if (flags & FLAG_FIN)
        peer_finished(stream);
}

static bool take_window(struct link *link, uint32_t id, unsigned flags, uint32_t length) {
    if (flags & FLAG_SYN)
        return peer_opened(link, id, flags, length);
    struct stream *stream = find(link, id);
    if (stream == NULL)
        return true;
    if (length > LINK_WINDOW - stream->send_window || (stream->finished_by_peer && (flags & FLAG_FIN)))
        return false;
    stream->send_window += length;
    if (length > 0 && stream->waiting && (flags & FLAG_RST) == 0) {
        stream->waiting = false;
        link->events.writable(link->context, stream);
    }
    if (!stream->dead)
        take_end_flags(stream, flags);
    return true;
}

static bool take_data(struct link *link, uint32_t id, unsigned flags, uint32_t length) {
    if (length > LINK_MAX_DATA || (flags & FLAG_SYN) != 0)
        return false;
    struct stream *stream = find(link, id);
    /* Data may still be on its way to a stream we have reset. */
    if (stream != NULL) {
        if (length > stream->receive_window || stream->finished_by_peer)
            return false;
        stream->receive_window -= length;
    }
    link->body_of = stream;
    link->body_left = length;
    if (length == 0)
        take_end_flags(stream, flags);
    return true;
}

static bool take_header(struct link *link) {
    const uint8_t *header = link->header;
    unsigned flags = get_u16(header + 2);
    uint32_t id = get_u32(header + 4), length = get_u32(header + 8);
    if (header[0] != 0 || flags > (FLAG_SYN | FLAG_ACK | FLAG_FIN | FLAG_RST))
        return false;
    switch (header[1]) {
    case FRAME_DATA:
        return take_data(link, id, flags, length);
    case FRAME_WINDOW:
        return take_window(link, id, flags, length);
    case FRAME_PING:
        return !(flags & FLAG_SYN) || put_answer(link, FRAME_PING, FLAG_ACK, 0, length);
    default:
        return false;
    }
}

/* A data frame's end flags count when its bytes have been delivered. */
static void finish_body(struct link *link) {
    unsigned flags = get_u16(link->header + 2);
    take_end_flags(link->body_of, flags);
    link->body_of = NULL;
}

static bool take_frames(struct link *link, const uint8_t *bytes, size_t length) {
    unsigned generation = link->generation;
    while (length > 0) {
        size_t count;
        if (link->body_left > 0) {
            count = length < link->body_left ? length : link->body_left;
            take_body(link, bytes, count);
            if (link->generation == generation && link->body_left == 0)
                finish_body(link);
        } else {
            count = HEADER_BYTES - link->header_length;
            if (count > length)
                count = length;
            memcpy(link->header + link->header_length, bytes, count);
            link->header_length += count;
            if (link->header_length == HEADER_BYTES) {
                link->header_length = 0;
                if (!take_header(link))
                    return false;
            }
        }
        if (link->generation != generation)
            return true;
        bytes += count;
        length -= count;
    }
    return true;
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
    return take_frames(link, bytes, length);
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
    if (!take_frames(link, before, from_held))
        return false;
    return link->generation != generation || take_frames(link, bytes, now - from_held);
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

/* Streams whose second half was closed by stream_finish(): `gone` could not be called there. */
static void end_finished(struct link *link) {
    if (!link->ended)
        return;
    link->ended = false;
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++) {
        struct stream *stream = link->streams[i];
        if (stream != NULL && stream->finished_by_us && stream->finished_by_peer)
            end_stream(stream, true);
    }
}

bool link_input(struct link *link, const uint8_t *bytes, size_t length) {
    enter(link);
    bool ok = (link->role == LINK_HOST ? host_input : guest_input)(link, bytes, length);
    if (!ok || link->overflowed) {
        broken(link);
        ok = false;
    }
    end_finished(link);
    leave(link);
    return ok;
}

size_t link_output(struct link *link, const uint8_t **bytes) {
    enter(link);
    end_finished(link);
    leave(link);
    *bytes = link->queue.bytes + link->queue.head;
    return queue_length(&link->queue);
}

static size_t queue_room(const struct link *link) {
    size_t queued = queue_length(&link->queue);
    return queued < QUEUE_PAYLOAD ? QUEUE_PAYLOAD - queued : 0;
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
    for (unsigned i = 0; link->waiters > 0 && i < LINK_MAX_STREAMS && queue_room(link) > 0; i++) {
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
    enter(link);
    queue_take(&link->queue, count);
    if (link->depth == 1)
        while (queue_room(link) >= LINK_MAX_DATA && serve_round(link))
            continue;
    leave(link);
}

struct stream *stream_open(struct link *link, uint16_t port) {
    if (link->state != UP || link->stream_count == LINK_MAX_STREAMS)
        return NULL;
    while (link->next_id == 0 || find(link, link->next_id) != NULL)
        link->next_id += 2;
    uint8_t name[PORT_BYTES];
    put_u16(name, port);
    if (queue_length(&link->queue) + 2 * HEADER_BYTES + PORT_BYTES > QUEUE_LIMIT)
        return NULL;
    struct stream *stream = add_stream(link, link->next_id);
    if (stream == NULL)
        return NULL;
    link->next_id += 2;
    stream->port_length = PORT_BYTES;
    put_answer(link, FRAME_WINDOW, FLAG_SYN, stream->id, 0);
    put_data(stream, name, PORT_BYTES);
    stream->send_window -= PORT_BYTES;
    return stream;
}

static size_t room_of(const struct stream *stream) {
    const struct link *link = stream->link;
    if (stream->finished_by_us)
        return 0;
    size_t room = queue_room(link);
    if (room < LINK_MAX_DATA && stream->queued_to <= link->queue.taken) {
        size_t queued = queue_length(&link->queue), limit = QUEUE_PAYLOAD + QUEUE_RESERVE;
        size_t reserve = queued < limit ? limit - queued : 0;
        if (reserve > 4096)
            reserve = 4096;
        if (room < reserve)
            room = reserve;
    }
    if (link->waiters > 1 && room > TURN_BYTES)
        room = TURN_BYTES;
    return room < stream->send_window ? room : stream->send_window;
}

size_t stream_room(struct stream *stream) {
    size_t room = room_of(stream);
    if (room == 0 && !stream->finished_by_us)
        stream->waiting = true;
    return room;
}

size_t stream_send(struct stream *stream, const void *bytes, size_t length) {
    struct link *link = stream->link;
    size_t total = room_of(stream), sent = 0;
    if (total > length)
        total = length;
    while (sent < total) {
        size_t count = total - sent < LINK_MAX_DATA ? total - sent : LINK_MAX_DATA;
        if (!put_data(stream, (const uint8_t *)bytes + sent, count))
            break;
        sent += count;
    }
    stream->send_window -= (uint32_t)sent;
    if (sent > 0)
        stream->queued_to = link->queue.put;
    if (sent < length && !stream->finished_by_us)
        stream->waiting = true;
    return sent;
}

void stream_consumed(struct stream *stream, size_t count) {
    if (count > stream->unconsumed)
        count = stream->unconsumed;
    stream->unconsumed -= (uint32_t)count;
    stream->credit += (uint32_t)count;
    if (stream->credit < CREDIT_STEP || stream->finished_by_peer || stream->dead)
        return;
    put_control(stream->link, FRAME_WINDOW, 0, stream->id, stream->credit);
    stream->receive_window += stream->credit;
    stream->credit = 0;
}

void stream_finish(struct stream *stream) {
    if (stream->finished_by_us || stream->dead)
        return;
    stream->finished_by_us = true;
    stream->waiting = false;
    put_control(stream->link, FRAME_WINDOW, FLAG_FIN, stream->id, 0);
    if (stream->finished_by_peer)
        stream->link->ended = true;
}

void stream_reset(struct stream *stream) {
    struct link *link = stream->link;
    if (stream->dead)
        return;
    enter(link);
    reset(stream);
    leave(link);
}

void stream_set_data(struct stream *stream, void *data) {
    stream->data = data;
}

void *stream_data(const struct stream *stream) {
    return stream->data;
}
