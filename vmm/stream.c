/* What the user of one stream calls: open, send, consume, finish, reset. */
#include "stream-internal.h"

/* What one stream may queue in its turn while others wait too. */
#define TURN_BYTES LINK_MAX_DATA
/* Announce room in pieces of this size, not after every byte. */
#define CREDIT_STEP (LINK_WINDOW / 4u)

struct stream *stream_open(struct link *link, uint16_t port) {
    if (link->state != UP || link->stream_count == LINK_MAX_STREAMS)
        return NULL;
    while (link->next_id == 0 || link_find(link, link->next_id) != NULL)
        link->next_id += 2;
    uint8_t name[PORT_BYTES];
    put_u16(name, port);
    if (queue_length(&link->queue) + 2 * HEADER_BYTES + PORT_BYTES > QUEUE_LIMIT)
        return NULL;
    struct stream *stream = link_add(link, link->next_id);
    if (stream == NULL)
        return NULL;
    link->next_id += 2;
    stream->port_length = PORT_BYTES;
    link_put_answer(link, FRAME_WINDOW, FLAG_SYN, stream->id, 0);
    stream_put_data(stream, name, PORT_BYTES);
    stream->send_window -= PORT_BYTES;
    return stream;
}

static size_t room_of(const struct stream *stream) {
    const struct link *link = stream->link;
    if (stream->finished_by_us)
        return 0;
    size_t room = queue_room(&link->queue);
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
        if (!stream_put_data(stream, (const uint8_t *)bytes + sent, count))
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
    link_put_control(stream->link, FRAME_WINDOW, 0, stream->id, stream->credit);
    stream->receive_window += stream->credit;
    stream->credit = 0;
}

void stream_finish(struct stream *stream) {
    if (stream->finished_by_us || stream->dead)
        return;
    stream->finished_by_us = true;
    stream->waiting = false;
    link_put_control(stream->link, FRAME_WINDOW, FLAG_FIN, stream->id, 0);
    if (stream->finished_by_peer)
        stream->link->ended = true;
}

void stream_reset(struct stream *stream) {
    struct link *link = stream->link;
    if (stream->dead)
        return;
    link_enter(link);
    stream_abort(stream);
    link_leave(link);
}

void stream_set_data(struct stream *stream, void *data) {
    stream->data = data;
}

void *stream_data(const struct stream *stream) {
    return stream->data;
}
