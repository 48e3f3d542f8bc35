/* Frames from the peer, in whatever pieces they come: hostile bytes, totally parsed. */
#include "stream-internal.h"

/* The first bytes name the port; they are ours to consume. */
static void take_port(struct stream *stream, uint8_t byte) {
    struct link *link = stream->link;
    stream->port[stream->port_length++] = byte;
    stream->unconsumed++;
    stream_consumed(stream, 1);
    if (!stream_was_opened(stream))
        return;
    uint16_t port = (uint16_t)get_u16(stream->port);
    if (!link->events.opened(link->context, stream, port) && !stream->dead)
        stream_abort(stream);
}

static void take_body(struct link *link, const uint8_t *bytes, size_t length) {
    struct stream *stream = link->body_of;
    link->body_left -= (uint32_t)length;
    while (stream != NULL && length > 0 && !stream_was_opened(stream)) {
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
    if (!stream_was_opened(stream)) {
        stream_abort(stream);
        return;
    }
    link->events.finished(link->context, stream);
    if (!stream->dead && stream->finished_by_us)
        stream_end(stream, true);
}

static bool peer_opened(struct link *link, uint32_t id, unsigned flags, uint32_t length) {
    bool ours = (id & 1) == (link->role == LINK_HOST);
    if (id == 0 || ours || length != 0 || (flags & ~(unsigned)FLAG_SYN) != 0 || link_find(link, id) != NULL)
        return false;
    if (link_add(link, id) == NULL)
        return link_put_answer(link, FRAME_WINDOW, FLAG_RST, id, 0);
    return link_put_answer(link, FRAME_WINDOW, FLAG_ACK, id, 0);
}

/* Flags that end something; the frame's own meaning came before them. */
static void take_end_flags(struct stream *stream, unsigned flags) {
    if (stream == NULL)
        return;
    if (flags & FLAG_RST)
        stream_end(stream, false);
    else if (flags & FLAG_FIN)
        peer_finished(stream);
}

static bool take_window(struct link *link, uint32_t id, unsigned flags, uint32_t length) {
    if (flags & FLAG_SYN)
        return peer_opened(link, id, flags, length);
    struct stream *stream = link_find(link, id);
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
    struct stream *stream = link_find(link, id);
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
        return !(flags & FLAG_SYN) || link_put_answer(link, FRAME_PING, FLAG_ACK, 0, length);
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

bool link_take_frames(struct link *link, const uint8_t *bytes, size_t length) {
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
