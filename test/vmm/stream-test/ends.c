#include "ends.h"

#include <string.h>

uint64_t random_state;
uint32_t draw(uint32_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return below == 0 ? 0 : (uint32_t)(random_state >> 33) % below;
}

uint8_t byte_at(uint32_t tag, uint64_t position) {
    return (uint8_t)((position * 131 + (position >> 8) * 17 + tag * 29) & 0xff);
}

enum { POLITE_PIECE = 16384 };

void push(struct flow *flow) {
    uint8_t buffer[POLITE_PIECE];
    while (flow->stream != NULL && flow->sent < flow->to_send) {
        size_t count = flow->to_send - flow->sent;
        size_t most = flow->polite ? stream_room(flow->stream) : 5000;
        if (most == 0)
            return;
        if (most > sizeof buffer)
            most = sizeof buffer;
        if (count > most)
            count = most;
        for (size_t i = 0; i < count; i++)
            buffer[i] = byte_at(flow->tag, flow->sent + i);
        size_t taken = stream_send(flow->stream, buffer, count);
        CHECK(taken <= count);
        flow->sent += taken;
        if (taken < count)
            return;
    }
    if (flow->stream != NULL && flow->sent == flow->to_send && !flow->sent_finish) {
        flow->sent_finish = true;
        stream_finish(flow->stream);
    }
}

static void on_up(void *context) {
    ((struct end *)context)->ups++;
}

struct flow *add_flow(struct end *end, struct stream *stream, uint32_t tag, uint64_t to_send) {
    CHECK(end->count < 600);
    struct flow *flow = &end->flows[end->count++];
    *flow = (struct flow){.end = end, .stream = stream, .tag = tag, .to_send = to_send};
    stream_set_data(stream, flow);
    return flow;
}

static bool on_opened(void *context, struct stream *stream, uint16_t port) {
    struct end *end = context;
    if (port == REFUSED_PORT || end->count >= 600)
        return false;
    add_flow(end, stream, port, end->accept_to_send)->lazy = end->accept_lazy;
    return true;
}

static bool maybe_reset(struct flow *flow) {
    if (flow->end->reset_one_in == 0 || draw(flow->end->reset_one_in) != 0)
        return false;
    struct stream *stream = flow->stream;
    flow->stream = NULL;
    flow->gone = true;
    stream_reset(stream);
    return true;
}

static void on_data(void *context, struct stream *stream, const uint8_t *bytes, size_t length) {
    struct flow *flow = stream_data(stream);
    CHECK(flow->stream == stream && flow->end == context && !flow->finished);
    if (flow->end->reset_one_in == 0)
        for (size_t i = 0; i < length; i++)
            if (bytes[i] != byte_at(flow->tag, flow->received + i))
                CHECK(++flow->wrong <= flow->end->forgive);
    flow->received += length;
    CHECK(flow->received - flow->consumed <= LINK_WINDOW);
    if (maybe_reset(flow))
        return;
    if (!flow->lazy) {
        stream_consumed(stream, length);
        flow->consumed = flow->received;
    }
    push(flow);
}

static void on_finished(void *context, struct stream *stream) {
    struct flow *flow = stream_data(stream);
    CHECK(flow->end == context && !flow->finished);
    flow->finished = true;
    if (!maybe_reset(flow))
        push(flow);
}

static void on_writable(void *context, struct stream *stream) {
    struct flow *flow = stream_data(stream);
    CHECK(flow->end == context && flow->stream == stream);
    flow->writable_calls++;
    if (!maybe_reset(flow))
        push(flow);
}

static void on_gone(void *context, struct stream *stream, bool clean) {
    struct flow *flow = stream_data(stream);
    CHECK(flow->end == context && flow->stream == stream && !flow->gone);
    flow->gone = true;
    flow->clean = clean;
    flow->stream = NULL;
}

const struct link_events events = {on_up,       on_opened,   on_data,
                                          on_finished, on_writable, on_gone};
struct end host, guest;

struct pipe to_guest, to_host;

bool move(struct end *from, struct pipe *pipe, struct end *to, size_t chunk) {
    bool moved = false;
    const uint8_t *view;
    size_t length = link_output(from->link, &view), room = sizeof pipe->bytes - pipe->length;
    if (length > room)
        length = room;
    if (length > 0) {
        length = chunk == 0 ? length : 1 + draw((uint32_t)(length < chunk ? length : chunk));
        memcpy(pipe->bytes + pipe->length, view, length);
        pipe->length += length;
        link_written(from->link, length);
        moved = true;
    }
    if (pipe->length > 0) {
        size_t count = chunk == 0 ? pipe->length : 1 + draw((uint32_t)(pipe->length < chunk ? pipe->length : chunk));
        /* A copy of exact size lets ASan see any read beyond it. */
        uint8_t *copy = malloc(count);
        CHECK(copy != NULL);
        memcpy(copy, pipe->bytes, count);
        memmove(pipe->bytes, pipe->bytes + count, pipe->length - count);
        pipe->length -= count;
        bool ok = link_input(to->link, copy, count);
        CHECK(ok || to->reset_one_in > 0 || from->reset_one_in > 0);
        free(copy);
        moved = true;
    }
    return moved;
}

void run(size_t chunk) {
    for (bool moved = true; moved;) {
        moved = move(&host, &to_guest, &guest, chunk);
        moved = move(&guest, &to_host, &host, chunk) || moved;
    }
}

void random_key(uint8_t key[LINK_KEY_BYTES]) {
    for (unsigned i = 0; i < LINK_KEY_BYTES; i++)
        key[i] = (uint8_t)draw(256);
}

void start(void) {
    uint8_t key[LINK_KEY_BYTES], next[LINK_KEY_BYTES], agreed[LINK_KEY_BYTES];
    random_key(key);
    random_key(next);
    host.link = link_new(LINK_HOST, key, &events, &host);
    guest.link = link_new(LINK_GUEST, key, &events, &guest);
    CHECK(host.link != NULL && guest.link != NULL && stream_open(host.link, 1) == NULL);
    link_start(host.link, next);
    run(7);
    CHECK(link_is_up(host.link) && link_is_up(guest.link) && host.ups == 1 && guest.ups == 1);
    link_key(guest.link, agreed);
    CHECK(memcmp(agreed, next, sizeof next) == 0);
}

struct flow *open_flow(struct end *end, uint16_t port, uint64_t to_send) {
    struct stream *stream = stream_open(end->link, port);
    CHECK(stream != NULL);
    return add_flow(end, stream, port, to_send);
}

struct flow *accepted(struct end *end, uint32_t tag) {
    for (unsigned i = 0; i < end->count; i++)
        if (end->flows[i].tag == tag)
            return &end->flows[i];
    return NULL;
}
