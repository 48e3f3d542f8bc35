/* What links survive: new ends, broken rules, peers that do not listen. */
#include "cases.h"
#include "ends.h"

#include <string.h>

void case_restart(void) {
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
void case_broken(void) {
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
void case_deaf(void) {
    static const uint8_t ping[12] = {0, 2, 0, 1};
    bool ok = true;
    unsigned asked = 0;
    for (; ok && asked < 1000000; asked++)
        ok = link_input(host.link, ping, sizeof ping);
    CHECK(!ok && asked < 100000);
}

/* Half valid, half random frames into both, callbacks resetting at random. */
void case_fuzz(void) {
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
