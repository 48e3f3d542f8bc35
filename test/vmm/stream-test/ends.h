/* Two links back to back over lossless pipes that cut the bytes anywhere, and what goes on over them. */
#ifndef STREAM_TEST_ENDS_H
#define STREAM_TEST_ENDS_H

#include "../../../vmm/stream.h"
#include "../check.h"

enum { REFUSED_PORT = 9 };

struct end;
struct flow {
    struct end *end;
    struct stream *stream;
    uint32_t tag;
    uint64_t to_send, sent, received, consumed;
    bool lazy; /* consumes only when told */
    bool polite; /* sends no more than there is room for */
    bool finished, gone, clean, sent_finish;
    unsigned writable_calls, wrong;
};

struct end {
    struct link *link;
    unsigned ups;
    struct flow flows[600];
    unsigned count;
    uint64_t accept_to_send; /* what an accepted stream sends back */
    bool accept_lazy;
    unsigned forgive;      /* bytes that may be wrong at the end of a stream that was cut off */
    unsigned reset_one_in; /* fuzz: callbacks reset streams now and then */
};

struct pipe {
    uint8_t bytes[1 << 16];
    size_t length;
};

extern uint64_t random_state;
extern const struct link_events events;
extern struct end host, guest;
extern struct pipe to_guest, to_host;

uint32_t draw(uint32_t below);
void random_key(uint8_t key[LINK_KEY_BYTES]);
/* The byte every stream carries at a position, so that loss and mixing show. */
uint8_t byte_at(uint32_t tag, uint64_t position);

/* Both links, up. */
void start(void);
struct flow *add_flow(struct end *end, struct stream *stream, uint32_t tag, uint64_t to_send);
struct flow *open_flow(struct end *end, uint16_t port, uint64_t to_send);
struct flow *accepted(struct end *end, uint32_t tag);
/* As much as the stream takes now; then the end. */
void push(struct flow *flow);
/* Some bytes from the link into the pipe, then some from the pipe into the other link; 0: all there are. */
bool move(struct end *from, struct pipe *pipe, struct end *to, size_t chunk);
/* Until nothing moves any more. */
void run(size_t chunk);

#endif
