/* The streams of a link: found by number, added, ended, freed when nobody uses them any more. */
#include "stream-internal.h"

#include <stdlib.h>

void link_enter(struct link *link) {
    link->depth++;
}

void link_leave(struct link *link) {
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

struct stream *link_find(struct link *link, uint32_t id) {
    struct stream **slot = slot_of(link, id);
    return slot == NULL ? NULL : *slot;
}

struct stream *link_add(struct link *link, uint32_t id) {
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
static void stream_remove(struct stream *stream) {
    struct link *link = stream->link;
    *slot_of(link, stream->id) = NULL;
    link->stream_count--;
    if (link->body_of == stream)
        link->body_of = NULL;
    stream->dead = stream->finished_by_us = true;
    stream->next_dead = link->dead;
    link->dead = stream;
}

bool stream_was_opened(const struct stream *stream) {
    return stream->port_length == PORT_BYTES;
}

void stream_end(struct stream *stream, bool clean) {
    struct link *link = stream->link;
    bool known = stream_was_opened(stream);
    stream_remove(stream);
    if (known)
        link->events.gone(link->context, stream, clean);
}

void link_end_all(struct link *link) {
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++)
        if (link->streams[i] != NULL)
            stream_end(link->streams[i], false);
}

/* Streams whose second half was closed by stream_finish(): `gone` could not be called there. */
void link_end_finished(struct link *link) {
    if (!link->ended)
        return;
    link->ended = false;
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++) {
        struct stream *stream = link->streams[i];
        if (stream != NULL && stream->finished_by_us && stream->finished_by_peer)
            stream_end(stream, true);
    }
}

void stream_abort(struct stream *stream) {
    struct link *link = stream->link;
    link_put_control(link, FRAME_WINDOW, FLAG_RST, stream->id, 0);
    stream_remove(stream);
}
