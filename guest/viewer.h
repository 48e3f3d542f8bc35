/* One client's way through a session's output: its position in the ring, as far as its stream takes it. */
#ifndef MACHINEN_VIEWER_H
#define MACHINEN_VIEWER_H

#include "client.h"
#include "history.h"

struct session;

struct viewer {
    struct session *session;
    struct client *client;
    struct viewer *next;
    uint64_t position;
    uint64_t replay_end; /* what lies before it was written before the client came: `B` frames */
    unsigned cols, rows; /* of the client's terminal */
    bool only_waits;     /* a killer: gets no output, only the end */
};

/* Start with the modes of the terminal and what the ring holds, drawn at this size. */
void viewer_replay(struct viewer *viewer, const struct history *history, unsigned cols, unsigned rows);
/* Send what the stream takes. A viewer that the ring has overtaken begins anew with a clear screen. */
void viewer_serve(struct viewer *viewer, const struct history *history, unsigned cols, unsigned rows);

#endif
