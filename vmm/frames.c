#include "frames.h"

#include <string.h>

#define ETHERNET_BYTES 14u
#define IPV4_BYTES 20u
/* What goes through unfragmented on a network of our own; slirp is spared the rest. */
#define MAX_ALLOWED (ETHERNET_BYTES + 4 + 1500)
#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define MORE_FRAGMENTS_OR_OFFSET 0x3fff
#define PORT_DNS 53

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static uint32_t number16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t number32(const uint8_t *at) {
    return number16(at) << 16 | number16(at + 2);
}

uint8_t *frames_room(struct frames_in *in, size_t *room) {
    if (in->start > 0) {
        memmove(in->bytes, in->bytes + in->start, in->length);
        in->start = 0;
    }
    *room = sizeof in->bytes - in->length;
    return in->bytes + in->length;
}

enum frame_result frames_next(struct frames_in *in, const uint8_t **frame, size_t *length) {
    const uint8_t *at = in->bytes + in->start;
    if (in->length < FRAME_HEAD_BYTES) {
        return FRAME_NONE;
    }
    *length = number32(at);
    if (*length == 0 || *length > MAX_FRAME_BYTES) {
        return FRAME_BROKEN;
    }
    if (in->length < FRAME_HEAD_BYTES + *length) {
        return FRAME_NONE;
    }
    *frame = at + FRAME_HEAD_BYTES;
    in->start += FRAME_HEAD_BYTES + *length;
    in->length -= FRAME_HEAD_BYTES + *length;
    return FRAME_WHOLE;
}

bool frames_queue(struct frames_out *out, const void *frame, size_t length) {
    size_t needed = FRAME_HEAD_BYTES + length;
    if (length == 0 || length > MAX_FRAME_BYTES || out->length + needed > sizeof out->bytes) {
        return false;
    }
    if (out->start + out->length + needed > sizeof out->bytes) {
        memmove(out->bytes, out->bytes + out->start, out->length);
        out->start = 0;
    }
    uint8_t *at = out->bytes + out->start + out->length;
    for (unsigned i = 0; i < FRAME_HEAD_BYTES; i++) {
        at[i] = (uint8_t)(length >> (24 - 8 * i));
    }
    memcpy(at + FRAME_HEAD_BYTES, frame, length);
    out->length += needed;
    return true;
}

/* Later fragments show no port: a question to the resolver is small, or comes by TCP. */
static bool asks_resolver(const uint8_t *packet, size_t length, size_t head) {
    uint8_t protocol = packet[9];
    if (protocol == PROTOCOL_ICMP) {
        return true;
    }
    return (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP) && length >= head + 4 &&
           (number16(packet + 6) & MORE_FRAGMENTS_OR_OFFSET) == 0 && number16(packet + head + 2) == PORT_DNS;
}

static bool ipv4_allowed(const uint8_t *packet, size_t length) {
    size_t head = length < IPV4_BYTES ? 0 : 4u * (packet[0] & 0xf);
    if (head < IPV4_BYTES || head > length || packet[0] >> 4 != 4) {
        return false;
    }
    uint32_t to = number32(packet + 16);
    /* To connect to 0.0.0.0 is to connect to oneself. */
    if (to >> 24 == 127 || to >> 24 == 0) {
        return false;
    }
    return to != NET_RESOLVER || asks_resolver(packet, length, head);
}

bool frame_allowed(const uint8_t *frame, size_t length) {
    if (length < ETHERNET_BYTES || length > MAX_ALLOWED) {
        return false;
    }
    uint32_t type = number16(frame + 12);
    return type == TYPE_ARP || (type == TYPE_IPV4 && ipv4_allowed(frame + ETHERNET_BYTES, length - ETHERNET_BYTES));
}
