#include "history.h"

bool history_init(struct history *history, unsigned cols) {
    terminal_modes_init(&history->modes, cols);
    history->cols = cols;
    history->resized_at = 0;
    return ring_init(&history->ring);
}

void history_free(struct history *history) {
    ring_free(&history->ring);
}

/* Takes the modes from one place in the ring to a later one. */
static void follow(const struct history *history, struct terminal_modes *modes, uint64_t from, uint64_t to) {
    bool resizes = history->resized_at > from && history->resized_at <= to;
    while (from < to) {
        const uint8_t *bytes;
        uint64_t end = resizes && from < history->resized_at ? history->resized_at : to;
        size_t length = ring_view(&history->ring, from, &bytes);
        if (length > end - from)
            length = (size_t)(end - from);
        terminal_modes_feed(modes, bytes, length);
        from += length;
        if (resizes && from == history->resized_at)
            terminal_modes_resize(modes, history->cols);
    }
}

/* Only what is about to be overwritten is looked at: output that fits into the ring costs nothing. */
void history_put(struct history *history, const uint8_t *bytes, size_t length) {
    struct ring *ring = &history->ring;
    uint64_t start = ring_start(ring), end = ring->end + length;
    if (end > RING_BYTES && end - RING_BYTES > start)
        follow(history, &history->modes, start, end - RING_BYTES);
    ring_put(ring, bytes, length);
}

void history_resize(struct history *history, unsigned cols) {
    history->cols = cols;
    history->resized_at = history->ring.end;
    if (history->resized_at == ring_start(&history->ring))
        terminal_modes_resize(&history->modes, cols);
}

void history_replay(const struct history *history, uint64_t from, struct replay *replay) {
    const struct ring *ring = &history->ring;
    struct terminal_modes modes = history->modes;
    struct text_out out = {.bytes = replay->modes, .size = sizeof replay->modes};
    uint64_t at = ring_safe_start(ring, from);
    follow(history, &modes, ring_start(ring), at);
    /* A line's end may stand inside a sequence, whose rest would be shown as text. */
    for (; at < ring->end && !escape_at_rest(&modes.parser); at++)
        follow(history, &modes, at, at + 1);
    if (at > 0)
        terminal_modes_write(&modes, &out);
    replay->position = at;
    replay->length = out.length;
}
