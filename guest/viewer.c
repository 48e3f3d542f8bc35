#include "viewer.h"

/* Who fell behind gets half the ring: the other half is a head start before it is overtaken again. */
enum { CATCH_UP_BYTES = RING_BYTES / 2 };

/* The modes come in a frame of their own: a fresh terminal, then what it would have been told. */
static void begin(struct viewer *viewer, const struct history *history, uint64_t from) {
    static struct replay replay;
    history_replay(history, from, &replay);
    if (replay.length > 0)
        client_send(viewer->client, 'B', replay.modes, replay.length);
    viewer->position = replay.position;
    viewer->replay_end = history->ring.end;
}

void viewer_replay(struct viewer *viewer, const struct history *history, unsigned cols, unsigned rows) {
    client_line(viewer->client, "W %u %u", cols, rows);
    begin(viewer, history, ring_start(&history->ring));
}

static void begin_anew(struct viewer *viewer, const struct history *history, unsigned cols, unsigned rows) {
    static const char clear[] = "\033c";
    client_line(viewer->client, "W %u %u", cols, rows);
    client_send(viewer->client, 'B', clear, sizeof clear - 1);
    begin(viewer, history, history->ring.end - CATCH_UP_BYTES);
}

void viewer_serve(struct viewer *viewer, const struct history *history, unsigned cols,
                  unsigned rows) {
    const struct ring *ring = &history->ring;
    if (viewer->only_waits)
        return;
    while (viewer->position < ring->end && client_is_writable(viewer->client)) {
        if (viewer->position < ring_start(ring)) {
            begin_anew(viewer, history, cols, rows);
            continue;
        }
        const uint8_t *bytes;
        size_t length = ring_view(ring, viewer->position, &bytes);
        bool replay = viewer->position < viewer->replay_end;
        if (replay && length > viewer->replay_end - viewer->position)
            length = (size_t)(viewer->replay_end - viewer->position);
        if (length > FRAME_BYTES)
            length = FRAME_BYTES;
        client_send(viewer->client, replay ? 'B' : 'O', bytes, length);
        viewer->position += length;
    }
}
