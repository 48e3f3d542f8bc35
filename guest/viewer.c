#include "viewer.h"

/* Who fell behind gets half the ring: the other half is a head start before it is overtaken again. */
enum { CATCH_UP_BYTES = RING_BYTES / 2 };

void viewer_replay(struct viewer *viewer, const struct ring *ring, unsigned cols, unsigned rows) {
    client_line(viewer->client, "W %u %u", cols, rows);
    viewer->position = ring_safe_start(ring, ring_start(ring));
    viewer->replay_end = ring->end;
}

static void begin_anew(struct viewer *viewer, const struct ring *ring, unsigned cols, unsigned rows) {
    static const char clear[] = "\033c";
    client_line(viewer->client, "W %u %u", cols, rows);
    client_send(viewer->client, 'B', clear, sizeof clear - 1);
    viewer->position = ring_safe_start(ring, ring->end - CATCH_UP_BYTES);
    viewer->replay_end = ring->end;
}

void viewer_serve(struct viewer *viewer, const struct ring *ring, unsigned cols, unsigned rows) {
    if (viewer->only_waits)
        return;
    while (viewer->position < ring->end && client_is_writable(viewer->client)) {
        if (viewer->position < ring_start(ring)) {
            begin_anew(viewer, ring, cols, rows);
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
