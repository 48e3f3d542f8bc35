/* Frames and forwards: what passes, and in which pieces. */
#include "tests.h"
#include "frames.h"
#include "ports.h"
#include "vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An IPv4 packet in a frame of exactly its size, so that ASan sees every byte read too far. */
static bool packet_allowed(uint32_t to, uint8_t protocol, uint16_t port, uint16_t fragment, size_t length) {
    uint8_t *frame = calloc(1, length);
    uint8_t whole[14 + 20 + 4] = {[12] = 0x08, [14] = 0x45, [20] = (uint8_t)(fragment >> 8), [21] = (uint8_t)fragment, [23] = protocol,
        [30] = (uint8_t)(to >> 24), [31] = (uint8_t)(to >> 16), [32] = (uint8_t)(to >> 8), [33] = (uint8_t)to,
        [36] = (uint8_t)(port >> 8), [37] = (uint8_t)port};
    memcpy(frame, whole, length < sizeof whole ? length : sizeof whole);
    bool allowed = frame_allowed(frame, length);
    free(frame);
    return allowed;
}

void test_frame_filter(void) {
    enum { FULL = 38, TCP = 6, UDP = 17, ICMP = 1 };
    const uint8_t arp[42] = {[12] = 0x08, [13] = 0x06}, ipv6[60] = {[12] = 0x86, [13] = 0xdd};
    CHECK(frame_allowed(arp, sizeof arp) && !frame_allowed(ipv6, sizeof ipv6));
    CHECK(packet_allowed(0xc6120001, TCP, 80, 0, FULL) && packet_allowed(NET_HOST, TCP, 80, 0, FULL));
    CHECK(!packet_allowed(0x7f000001, TCP, 80, 0, FULL) && !packet_allowed(0x7fffffff, UDP, 53, 0, FULL));
    CHECK(!packet_allowed(0, TCP, 80, 0, FULL) && !packet_allowed(0x00ffffff, TCP, 80, 0, FULL) && !packet_allowed(0x7f000001, ICMP, 0, 0, FULL));
    CHECK(packet_allowed(NET_RESOLVER, UDP, 53, 0, FULL) && packet_allowed(NET_RESOLVER, TCP, 53, 0, FULL) && packet_allowed(NET_RESOLVER, ICMP, 0, 0, FULL));
    CHECK(packet_allowed(NET_RESOLVER, UDP, 53, 0x4000, FULL));
    CHECK(!packet_allowed(NET_RESOLVER, TCP, 80, 0, FULL) && !packet_allowed(NET_RESOLVER, UDP, 5353, 0, FULL) && !packet_allowed(NET_RESOLVER, 132, 53, 0, FULL));
    CHECK(!packet_allowed(NET_RESOLVER, UDP, 53, 0x2000, FULL) && !packet_allowed(NET_RESOLVER, UDP, 53, 1, FULL));
    for (size_t length = 1; length < FULL; length++) {
        CHECK(!packet_allowed(NET_RESOLVER, UDP, 53, 0, length));
    }
    CHECK(packet_allowed(0xc6120001, TCP, 80, 0, 1518) && !packet_allowed(0xc6120001, TCP, 80, 0, 1519));
    for (int round = 0; round < 200000; round++) {
        uint8_t frame[64];
        size_t length = random_number() % sizeof frame;
        uint8_t *exact = malloc(length + 1);
        for (size_t i = 0; i < length; i++) {
            frame[i] = (uint8_t)random_number();
        }
        frame[12] = 8;
        frame[13] = 0;
        memcpy(exact, frame, length);
        bool allowed = frame_allowed(length > 14 ? exact : frame, length);
        CHECK(!allowed || (length >= 34 && frame[30] != 127 && frame[30] != 0));
        free(exact);
    }
}

/* However the bytes are cut, the same frames come out; a length that cannot be ends the stream. */
void test_frames(void) {
    static struct frames_out out;
    static struct frames_in in;
    static uint8_t sent[64][2000], long_frame[MAX_FRAME_BYTES + 1];
    size_t lengths[64], room, length;
    const uint8_t *frame;
    for (size_t i = 0; i < 64; i++) {
        lengths[i] = 1 + random_number() % sizeof sent[i];
        memset(sent[i], (int)random_number(), lengths[i]);
        CHECK(frames_queue(&out, sent[i], lengths[i]));
    }
    CHECK(!frames_queue(&out, sent[0], 0) && !frames_queue(&out, long_frame, sizeof long_frame));
    for (size_t at = 0, next = 0; next < 64;) {
        size_t piece = random_number() % 3000;
        uint8_t *to = frames_room(&in, &room);
        CHECK(room > 0);
        piece = piece < room ? piece : room;
        piece = piece < out.length - at ? piece : out.length - at;
        memcpy(to, out.bytes + at, piece);
        in.length += piece;
        at += piece;
        while (frames_next(&in, &frame, &length) == FRAME_WHOLE) {
            CHECK(next < 64 && length == lengths[next] && memcmp(frame, sent[next], length) == 0);
            next++;
        }
    }
    CHECK(in.length == 0);
    while (frames_queue(&out, long_frame, MAX_FRAME_BYTES)) {
        CHECK(out.start + out.length <= sizeof out.bytes);
    }
    out.start += 5000;
    out.length -= 5000;
    CHECK(out.length + 4 + MAX_FRAME_BYTES > sizeof out.bytes || frames_queue(&out, long_frame, MAX_FRAME_BYTES));
    static const uint8_t bad[][4] = {{0, 0, 0, 0}, {0, 1, 0x10, 1}, {0xff, 0xff, 0xff, 0xff}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        in.start = in.length = 0;
        memcpy(frames_room(&in, &room), bad[i], 4);
        in.length = 4;
        CHECK(frames_next(&in, &frame, &length) == FRAME_BROKEN);
    }
    /* The longest always fits, wherever the one before it ended. */
    in.start = in.length = 0;
    frames_room(&in, &room);
    CHECK(room >= 2 * (MAX_FRAME_BYTES + FRAME_HEAD_BYTES));
}

void test_ports(void) {
    struct port_forward ports[MAX_PORTS];
    struct error error;
    size_t count;
    char many[4000] = "", text[32];
    CHECK(ports_parse(NULL, ports, &count, &error) && count == 0 && ports_parse("", ports, &count, &error) && count == 0);
    CHECK(ports_parse("127.0.0.1:8080:80,0.0.0.0:65535:1", ports, &count, &error) && count == 2);
    CHECK(ports[0].address == 0x7f000001 && ports[0].host_port == 8080 && ports[0].guest_port == 80 && ports[1].host_port == 65535);
    CHECK(strcmp(port_text(&ports[0], text, sizeof text), "127.0.0.1:8080") == 0);
    static const char *const bad[] = {",", "a", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:1:", "127.0.0.1::1", ":1:1", "127.0.0.1:1:1:1",
        "127.0.0.1:0:1", "127.0.0.1:1:0", "127.0.0.1:65536:1", "127.0.0.1:-1:1", "127.0.0.1: 1:1", "localhost:1:1", "127.0.0.1:1:1,,127.0.0.1:2:2",
        "::1:1:1", "127.0.0.1:1:1;", "127.0.0.1:00000000000000000000000000000000000000000000000000000000000000000001:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!ports_parse(bad[i], ports, &count, &error) && strcmp(error.code, "BAD_FORWARD") == 0);
    }
    for (int i = 1; i <= MAX_PORTS + 1; i++) {
        CHECK(ports_parse(many, ports, &count, &error));
        sprintf(many + strlen(many), "%s127.0.0.1:%d:80", i > 1 ? "," : "", i);
    }
    CHECK(!ports_parse(many, ports, &count, &error));
}
