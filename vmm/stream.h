/*
 * Many byte streams over one pair of byte pipes: the link between machinen-vmm and the
 * guest agent (docs/protocol.md, section 2). Pure: bytes in, bytes out, callbacks; no I/O,
 * no clock. Everything that arrives is treated as hostile: bounded and totally parsed.
 */
#ifndef MACHINEN_STREAM_H
#define MACHINEN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_KEY_BYTES 32
#define LINK_WINDOW 262144u
#define LINK_MAX_DATA 16384u
#define LINK_MAX_STREAMS 256u

struct link;
struct stream;

enum link_role { LINK_HOST, LINK_GUEST };

/* Callbacks run inside link_* calls, never inside stream_* calls; they may call any stream_* function. */
struct link_events {
    /* The handshake is complete (again). Every earlier stream has had `gone`. */
    void (*up)(void *context);
    /* The peer opened a stream to this port. Return false to refuse it (RST). */
    bool (*opened)(void *context, struct stream *stream, uint16_t port);
    /* Bytes arrived. The receiver must call stream_consumed() when it is done with them,
     * at once or later: that is what opens the peer's window again. */
    void (*data)(void *context, struct stream *stream, const uint8_t *bytes, size_t length);
    /* The peer sends no more (FIN). */
    void (*finished)(void *context, struct stream *stream);
    /* There is room to send again after stream_send() took less than it was given, or stream_room()
     * said 0. */
    void (*writable)(void *context, struct stream *stream);
    /* The stream is over: both sides finished, reset, or the link started anew. The pointer is dead
     * when this returns. `clean` is false after RST or a lost link. When our stream_finish() was the
     * last half, this comes with the next link_input() or link_output(). */
    void (*gone)(void *context, struct stream *stream, bool clean);
};

/* NULL when out of memory. `key` is the key both sides hold. */
struct link *link_new(enum link_role role, const uint8_t key[LINK_KEY_BYTES],
                      const struct link_events *events, void *context);
void link_free(struct link *link);

/* Host only: start a handshake; `next` must be fresh random bytes. Every stream has `gone`. Without
 * effect while a handshake is under way: the guest would hold one of two keys. */
void link_start(struct link *link, const uint8_t next[LINK_KEY_BYTES]);
bool link_is_up(const struct link *link);
/* The key to hand to whoever resumes this guest. */
void link_key(const struct link *link, uint8_t key[LINK_KEY_BYTES]);

/* Feed what was read from the pipe. False: the peer broke the protocol (host: call link_start again). */
bool link_input(struct link *link, const uint8_t *bytes, size_t length);
/* What is to be written to the pipe: a view that stays valid until the next call on this link. */
size_t link_output(struct link *link, const uint8_t **bytes);
/* `count` bytes of link_output() were written. Streams that wait for room become writable. */
void link_written(struct link *link, size_t count);

/* NULL when the link is down or there are too many streams. */
struct stream *stream_open(struct link *link, uint16_t port);
/* Takes as many bytes as window and output queue allow, and says how many. */
size_t stream_send(struct stream *stream, const void *bytes, size_t length);
/* How much stream_send() would take now. After 0, `writable` says when there is room. */
size_t stream_room(struct stream *stream);
void stream_consumed(struct stream *stream, size_t count);
/* No more bytes from us. */
void stream_finish(struct stream *stream);
/* End it now, both ways; `gone` is not called. The pointer is dead. */
void stream_reset(struct stream *stream);
void stream_set_data(struct stream *stream, void *data);
void *stream_data(const struct stream *stream);

#endif
