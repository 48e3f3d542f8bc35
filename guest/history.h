/* What a session has written: the last of it byte by byte, of all before it the terminal's modes. */
#ifndef MACHINEN_HISTORY_H
#define MACHINEN_HISTORY_H

#include "ring.h"
#include "terminal-modes.h"

struct history {
    struct ring ring;
    struct terminal_modes modes; /* before the oldest byte of the ring */
    uint64_t resized_at;         /* where in the output the terminal got its present size */
    unsigned cols;
};

/* Where a reader can begin, and what it has to be told first. */
struct replay {
    uint64_t position;
    size_t length;
    char modes[MODES_TEXT_BYTES];
};

bool history_init(struct history *history, unsigned cols);
void history_free(struct history *history);
void history_put(struct history *history, const uint8_t *bytes, size_t length);
void history_resize(struct history *history, unsigned cols);
/* For what was written from `from` on, which the ring must still hold. */
void history_replay(const struct history *history, uint64_t from, struct replay *replay);

#endif
