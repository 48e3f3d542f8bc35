/*
 * What the parts of the link share: its state, and what one part does for the others. Private to
 * stream*.c, of which each has its job: stream.c one stream's own calls, stream-link.c the handshake,
 * stream-parse.c what arrives, stream-put.c what is queued, stream-table.c which streams there are.
 */
#ifndef MACHINEN_STREAM_INTERNAL_H
#define MACHINEN_STREAM_INTERNAL_H

#include "stream-queue.h"
#include "stream-scan.h"
#include "stream.h"

enum { FRAME_DATA, FRAME_WINDOW, FRAME_PING, FRAME_GO_AWAY };
enum { FLAG_SYN = 1, FLAG_ACK = 2, FLAG_FIN = 4, FLAG_RST = 8 };
enum { HEADER_BYTES = 12, PORT_BYTES = 2 };

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

enum link_state {
    DOWN,    /* host: discard until link_start() */
    SEEKING, /* discard until `sought` has come */
    TAKING,  /* guest: the next key follows */
    UP,
};

struct link {
    enum link_role role;
    enum link_state state;
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

static inline void put_u16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put_u32(uint8_t *at, uint32_t value) {
    put_u16(at, value >> 16);
    put_u16(at + 2, value & 0xffff);
}

static inline unsigned get_u16(const uint8_t *at) {
    return (unsigned)at[0] << 8 | at[1];
}

static inline uint32_t get_u32(const uint8_t *at) {
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

/* Around every call that may end streams: their memory is freed when the outermost is left. */
void link_enter(struct link *link);
void link_leave(struct link *link);

/* NULL: no such stream. */
struct stream *link_find(struct link *link, uint32_t id);
/* NULL: too many, or out of memory. */
struct stream *link_add(struct link *link, uint32_t id);
/* Both sides know its port, so its user knows of it. */
bool stream_was_opened(const struct stream *stream);
/* Takes it out of the link; its user is told when it knew of it. */
void stream_end(struct stream *stream, bool clean);
void link_end_all(struct link *link);
void link_end_finished(struct link *link);
/* Ends it with RST; its user is not told. */
void stream_abort(struct stream *stream);

/* Frames to the peer. False: no room, nothing is queued. */
bool stream_put_data(struct stream *stream, const void *bytes, size_t length);
bool link_put_answer(struct link *link, unsigned type, unsigned flags, uint32_t id, uint32_t value);
void link_put_control(struct link *link, unsigned type, unsigned flags, uint32_t id, uint32_t value);

/* Takes frames, in whatever pieces they come. False: the peer broke the protocol. */
bool link_take_frames(struct link *link, const uint8_t *bytes, size_t length);

#endif
