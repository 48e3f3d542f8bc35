/*
 * Two links back to back over lossless pipes that cut the bytes anywhere. Each case is one seed.
 * Usage: stream-test <case> <seed>; exits 0 or aborts with a message.
 */
#include "../../vmm/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { REFUSED_PORT = 9 };

static uint64_t random_state;
static uint32_t draw(uint32_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return below == 0 ? 0 : (uint32_t)(random_state >> 33) % below;
}

/* The byte every stream carries at a position, so that loss and mixing show. */
static uint8_t byte_at(uint32_t tag, uint64_t position) {
    return (uint8_t)((position * 131 + (position >> 8) * 17 + tag * 29) & 0xff);
}

enum { POLITE_PIECE = 16384 };

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

static void push(struct flow *flow) {
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

static struct flow *add_flow(struct end *end, struct stream *stream, uint32_t tag, uint64_t to_send) {
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

static const struct link_events events = {on_up,       on_opened,   on_data,
                                          on_finished, on_writable, on_gone};
static struct end host, guest;

struct pipe {
    uint8_t bytes[1 << 16];
    size_t length;
};
static struct pipe to_guest, to_host;

/* Some bytes from the link into the pipe, then some from the pipe into the other link. */
static bool move(struct end *from, struct pipe *pipe, struct end *to, size_t chunk) {
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

static void run(size_t chunk) {
    for (bool moved = true; moved;) {
        moved = move(&host, &to_guest, &guest, chunk);
        moved = move(&guest, &to_host, &host, chunk) || moved;
    }
}

static void random_key(uint8_t key[LINK_KEY_BYTES]) {
    for (unsigned i = 0; i < LINK_KEY_BYTES; i++)
        key[i] = (uint8_t)draw(256);
}

static void start(void) {
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

static struct flow *open_flow(struct end *end, uint16_t port, uint64_t to_send) {
    struct stream *stream = stream_open(end->link, port);
    CHECK(stream != NULL);
    return add_flow(end, stream, port, to_send);
}

static struct flow *accepted(struct end *end, uint32_t tag) {
    for (unsigned i = 0; i < end->count; i++)
        if (end->flows[i].tag == tag)
            return &end->flows[i];
    return NULL;
}

static void case_transfer(void) {
    guest.accept_to_send = 300000 + draw(300000);
    for (unsigned i = 0; i < 20; i++)
        push(open_flow(&host, (uint16_t)(100 + i), draw(700000)));
    run(1 + draw(40000));
    for (unsigned i = 0; i < 20; i++) {
        struct flow *flow = &host.flows[i], *peer = accepted(&guest, 100 + i);
        CHECK(peer != NULL && flow->gone && flow->clean && peer->gone && peer->clean);
        CHECK(peer->received == flow->to_send && flow->received == guest.accept_to_send);
    }
}

/* Senders that look how much room there is are told when there is some again. */
static void case_polite(void) {
    struct flow *flows[5];
    for (unsigned i = 0; i < 5; i++) {
        flows[i] = open_flow(&host, (uint16_t)(100 + i), 1000000 + draw(700000));
        flows[i]->polite = true;
        push(flows[i]);
    }
    run(draw(2) == 0 ? 0 : 1 + draw(40000));
    for (unsigned i = 0; i < 5; i++)
        CHECK(flows[i]->gone && accepted(&guest, 100 + i)->received == flows[i]->to_send);
}

static void case_guest_opens(void) {
    struct flow *flow = open_flow(&guest, 77, 100000);
    push(flow);
    run(1000);
    CHECK(flow->gone && flow->clean && accepted(&host, 77)->received == 100000);
}

static void case_flow_control(void) {
    guest.accept_lazy = true;
    struct flow *flow = open_flow(&host, 100, 1000000);
    push(flow);
    run(0);
    struct flow *peer = accepted(&guest, 100);
    /* The port's two bytes count, and are given back with the next announcement. */
    CHECK(peer->received == LINK_WINDOW - 2 && !peer->finished);
    /* Another stream is not held up by it. */
    guest.accept_lazy = false;
    struct flow *other = open_flow(&host, 101, 500000);
    push(other);
    run(0);
    CHECK(other->gone && accepted(&guest, 101)->received == 500000);
    while (!peer->gone) {
        size_t count = peer->received - peer->consumed;
        stream_consumed(peer->stream, count);
        peer->consumed += count;
        run(0);
    }
    CHECK(peer->received == 1000000 && flow->gone && flow->clean);
}

static void case_half_close(void) {
    guest.accept_to_send = 0;
    struct flow *flow = open_flow(&host, 100, 50000);
    push(flow);
    run(100);
    CHECK(flow->gone && flow->clean);
    /* The guest finishes at once; the host goes on sending. */
    struct flow *slow = open_flow(&host, 101, 100000);
    slow->sent_finish = true;
    stream_send(slow->stream, (uint8_t[]){byte_at(101, 0)}, 1);
    slow->sent = 1;
    run(100);
    CHECK(slow->finished && !slow->gone);
    slow->sent_finish = false;
    push(slow);
    run(100);
    CHECK(slow->gone && slow->clean && accepted(&guest, 101)->received == 100000);
    /* The last half closed by stream_finish() itself: gone comes with the next link call. */
    struct flow *late = open_flow(&host, 102, 1);
    late->sent_finish = true;
    stream_send(late->stream, (uint8_t[]){byte_at(102, 0)}, 1);
    late->sent = 1;
    run(100);
    CHECK(late->finished);
    stream_finish(late->stream);
    CHECK(!late->gone);
    run(100);
    CHECK(late->gone && late->clean && accepted(&guest, 102)->gone);
}

static void case_reset(void) {
    guest.accept_to_send = 1000000;
    struct flow *flow = open_flow(&host, 100, 1000000);
    push(flow);
    for (unsigned i = 0; i < 40; i++) {
        move(&host, &to_guest, &guest, 3000);
        move(&guest, &to_host, &host, 3000);
    }
    stream_reset(flow->stream);
    flow->stream = NULL;
    run(3000);
    struct flow *peer = accepted(&guest, 100);
    CHECK(!flow->gone && peer->gone && !peer->clean);
    struct flow *refused = open_flow(&host, REFUSED_PORT, 10);
    push(refused);
    run(5);
    CHECK(refused->gone && !refused->clean);
}

static void case_many(void) {
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++) {
        struct flow *flow = open_flow(&host, (uint16_t)(100 + i), 1);
        flow->sent_finish = true;
    }
    CHECK(stream_open(host.link, 1) == NULL);
    run(0);
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++) {
        host.flows[i].sent_finish = false;
        host.flows[i].to_send = 100000;
        push(&host.flows[i]);
    }
    run(0);
    for (unsigned i = 0; i < LINK_MAX_STREAMS; i++)
        CHECK(host.flows[i].gone && accepted(&guest, 100 + i)->received == 100000);
    open_flow(&host, 1, 0);
}

/* Two floods share; a stream with nothing queued gets its few bytes in although the queue is full. */
static void case_fair(void) {
    struct flow *a = open_flow(&host, 100, 3000000), *b = open_flow(&host, 101, 3000000);
    struct flow *keys = open_flow(&host, 102, 100000);
    run(0);
    push(a);
    push(b);
    CHECK(stream_room(a->stream) == 0 && stream_room(keys->stream) >= 1000);
    uint64_t worst = 0;
    for (unsigned i = 0; a->sent < 2500000 && b->sent < 2500000; i++) {
        move(&host, &to_guest, &guest, 0);
        move(&guest, &to_host, &host, 0);
        uint64_t apart = a->sent > b->sent ? a->sent - b->sent : b->sent - a->sent;
        if (apart > worst)
            worst = apart;
        CHECK(i < 10000);
    }
    CHECK(worst <= 4 * 65536);
}

static void case_restart(void) {
    guest.forgive = 3;
    for (unsigned round = 0; round < 20; round++) {
        host.count = guest.count = 0;
        guest.accept_to_send = 200000;
        push(open_flow(&host, 100, 400000));
        push(open_flow(&host, 101, 400000));
        unsigned steps = draw(300);
        for (unsigned i = 0; i < steps; i++) {
            move(&host, &to_guest, &guest, 2000);
            move(&guest, &to_host, &host, 2000);
        }
        /* A new host, as after a fork: what was on its way to the guest ends anywhere. */
        uint8_t key[LINK_KEY_BYTES], next[LINK_KEY_BYTES];
        link_key(host.link, key);
        if (draw(2) == 0) {
            link_free(host.link);
            CHECK(host.flows[0].gone);
            host.link = link_new(LINK_HOST, key, &events, &host);
        }
        to_guest.length = draw((uint32_t)to_guest.length + 1);
        random_key(next);
        link_start(host.link, next);
        CHECK(host.flows[0].gone && host.flows[1].gone && !link_is_up(host.link));
        uint64_t before = guest.count > 0 ? guest.flows[0].received : 0;
        run(30 + draw(400));
        CHECK(link_is_up(host.link) && link_is_up(guest.link) && guest.ups == round + 2);
        if (guest.count > 0)
            CHECK(guest.flows[0].gone && guest.flows[0].received >= before);
        host.count = guest.count = 0;
        struct flow *flow = open_flow(&host, 102, 100000);
        push(flow);
        run(30 + draw(400));
        CHECK(flow->gone && flow->clean && guest.flows[0].received == 100000);
        CHECK(guest.flows[0].wrong == 0);
    }
}

/* The guest breaks the rules: the host says so and a new handshake mends it. */
static void case_broken(void) {
    static const uint8_t bad[][12] = {
        {1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},       /* version */
        {0, 9, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},       /* type */
        {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x40, 1},    /* too long */
        {0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0},       /* SYN of the host's id */
        {0, 1, 0, 0, 0, 0, 0, 1, 0, 4, 0, 0},       /* window beyond its size */
        {0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},       /* go away */
        {0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},       /* stream 0 */
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct flow *flow = open_flow(&host, 100, 10);
        flow->sent_finish = true;
        run(0);
        CHECK(!link_input(host.link, bad[i], 12));
        CHECK(!link_is_up(host.link) && flow->gone && !flow->clean);
        CHECK(link_input(host.link, bad[i], 12)); /* ignored until the restart */
        uint8_t next[LINK_KEY_BYTES];
        random_key(next);
        link_start(host.link, next);
        run(50);
        CHECK(link_is_up(host.link) && link_is_up(guest.link));
        /* And the other way round: the guest asks for a restart. */
        uint8_t mirrored[12];
        memcpy(mirrored, bad[i], 12);
        if (mirrored[7] == 1 && mirrored[3] == 1)
            mirrored[7] = 2;
        struct flow *second = open_flow(&host, 100, 10);
        second->sent_finish = true;
        run(0);
        CHECK(!link_input(guest.link, mirrored, 12) && !link_is_up(guest.link));
        const uint8_t *view;
        size_t length = link_output(guest.link, &view);
        CHECK(length >= 12 && view[length - 11] == 3);
        uint8_t copy[64];
        CHECK(length <= sizeof copy);
        memcpy(copy, view, length);
        link_written(guest.link, length);
        CHECK(!link_input(host.link, copy, length));
        random_key(next);
        link_start(host.link, next);
        run(50);
        CHECK(link_is_up(host.link) && link_is_up(guest.link));
        host.count = guest.count = 0;
    }
}

/* A peer that asks and never reads is cut off, not queued for. */
static void case_deaf(void) {
    static const uint8_t ping[12] = {0, 2, 0, 1};
    bool ok = true;
    unsigned asked = 0;
    for (; ok && asked < 1000000; asked++)
        ok = link_input(host.link, ping, sizeof ping);
    CHECK(!ok && asked < 100000);
}

/* Half valid, half random frames into both, callbacks resetting at random. */
static void case_fuzz(void) {
    host.reset_one_in = guest.reset_one_in = 50;
    guest.accept_to_send = 5000;
    for (unsigned round = 0; round < 3000; round++) {
        struct end *end = draw(2) ? &host : &guest;
        if (host.count > 500 || guest.count > 500 || !link_is_up(host.link) || !link_is_up(guest.link)) {
            uint8_t next[LINK_KEY_BYTES], key[LINK_KEY_BYTES];
            link_key(guest.link, key);
            link_free(host.link);
            host.link = link_new(LINK_HOST, key, &events, &host);
            to_guest.length = to_host.length = 0;
            random_key(next);
            link_start(host.link, next);
            run(60);
            CHECK(link_is_up(host.link) && link_is_up(guest.link));
            host.count = guest.count = 0;
            continue;
        }
        if (draw(3) == 0) {
            struct stream *stream = stream_open(end->link, (uint16_t)draw(12));
            if (stream != NULL)
                push(add_flow(end, stream, 100, draw(20000)));
        }
        uint8_t frame[12 + 64];
        size_t length = draw(64);
        for (size_t i = 0; i < sizeof frame; i++)
            frame[i] = (uint8_t)draw(256);
        if (draw(20) != 0) {
            memset(frame, 0, 12);
            frame[1] = (uint8_t)draw(3);
            frame[3] = (uint8_t)(1u << draw(5) & 15u);
            frame[7] = (uint8_t)draw(40);
            frame[11] = (uint8_t)(frame[1] == 1 && draw(4) != 0 ? 0 : length);
        }
        uint8_t *copy = malloc(12 + length);
        CHECK(copy != NULL);
        memcpy(copy, frame, 12 + length);
        link_input(end->link, copy, 12 + (frame[1] == 0 ? length : 0));
        free(copy);
        for (unsigned i = draw(4); i > 0 && link_is_up(host.link) && link_is_up(guest.link); i--) {
            move(&host, &to_guest, &guest, 500);
            move(&guest, &to_host, &host, 500);
        }
    }
}

/* One flood, for a look at the cost: not part of the assertions. */
static void on_flood(void *context, struct stream *stream, const uint8_t *bytes, size_t length) {
    (void)context, (void)bytes;
    struct flow *flow = stream_data(stream);
    flow->received += length;
    stream_consumed(stream, length);
}

static void case_flood(void) {
    static uint8_t block[65536];
    struct link_events quick = events;
    quick.data = on_flood;
    uint8_t key[LINK_KEY_BYTES];
    random_key(key);
    link_free(host.link);
    link_free(guest.link);
    host.link = link_new(LINK_HOST, key, &events, &host);
    guest.link = link_new(LINK_GUEST, key, &quick, &guest);
    link_start(host.link, key);
    run(0);
    struct flow *flow = open_flow(&host, 100, 0);
    flow->sent_finish = true;
    const uint64_t total = 100u << 20;
    while (flow->received == 0 && accepted(&guest, 100) == NULL)
        run(0);
    struct flow *peer = accepted(&guest, 100);
    while (peer->received < total) {
        stream_send(flow->stream, block, sizeof block);
        const uint8_t *view;
        size_t length = link_output(host.link, &view);
        CHECK(link_input(guest.link, view, length < 4096 ? length : 4096));
        link_written(host.link, length < 4096 ? length : 4096);
        length = link_output(guest.link, &view);
        CHECK(link_input(host.link, view, length));
        link_written(guest.link, length);
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"transfer", case_transfer},
        {"polite", case_polite}, {"guest-opens", case_guest_opens},
        {"flow-control", case_flow_control}, {"half-close", case_half_close},
        {"reset", case_reset}, {"many", case_many}, {"fair", case_fair},
        {"restart", case_restart}, {"broken", case_broken}, {"deaf", case_deaf},
        {"fuzz", case_fuzz}, {"flood", case_flood},
    };
    CHECK(argc == 3);
    random_state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(argv[1], cases[i].name) != 0)
            continue;
        start();
        cases[i].run();
        link_free(host.link);
        link_free(guest.link);
        puts("ok");
        return 0;
    }
    fprintf(stderr, "no such case\n");
    return 2;
}
