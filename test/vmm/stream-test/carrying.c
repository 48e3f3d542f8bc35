/* What links carry: whole, in its turn, and to its end. */
#include "cases.h"
#include "ends.h"

void case_transfer(void) {
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
void case_polite(void) {
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

void case_guest_opens(void) {
    struct flow *flow = open_flow(&guest, 77, 100000);
    push(flow);
    run(1000);
    CHECK(flow->gone && flow->clean && accepted(&host, 77)->received == 100000);
}

void case_flow_control(void) {
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

void case_half_close(void) {
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

void case_reset(void) {
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

void case_many(void) {
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
void case_fair(void) {
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

/* One flood, for a look at the cost: not part of the assertions. */
static void on_flood(void *context, struct stream *stream, const uint8_t *bytes, size_t length) {
    (void)context, (void)bytes;
    struct flow *flow = stream_data(stream);
    flow->received += length;
    stream_consumed(stream, length);
}

void case_flood(void) {
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
