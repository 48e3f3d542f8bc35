/*
 * Ethernet frames as QEMU's stream netdev sends them: each after its length (u32, big-endian). And which of
 * the guest's frames may go on. Pure; the guest chooses every byte.
 */
#ifndef MACHINEN_FRAMES_H
#define MACHINEN_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* QEMU's own limit. */
#define MAX_FRAME_BYTES (4096u + 65536u)
#define FRAME_HEAD_BYTES 4u
#define FRAMES_IN_BYTES (2 * (MAX_FRAME_BYTES + FRAME_HEAD_BYTES))
#define FRAMES_OUT_BYTES (1u << 20)

/* The addresses of every machine's own network, 10.0.2.0/24. */
#define NET_NETWORK 0x0a000200u
#define NET_MASK 0xffffff00u
#define NET_HOST 0x0a000202u
#define NET_RESOLVER 0x0a000203u
#define NET_GUEST 0x0a00020fu

/* What has been read and not yet been taken. */
struct frames_in {
    uint8_t bytes[FRAMES_IN_BYTES];
    size_t start, length;
};

/* Where to read to, at least one byte; what was read is told by adding it to `length`. */
uint8_t *frames_room(struct frames_in *in, size_t *room);
enum frame_result { FRAME_NONE, FRAME_WHOLE, FRAME_BROKEN };
/* The next frame, valid until frames_room(). BROKEN: no frame can have this length, the stream is lost. */
enum frame_result frames_next(struct frames_in *in, const uint8_t **frame, size_t *length);

/* Frames on their way out. */
struct frames_out {
    uint8_t bytes[FRAMES_OUT_BYTES];
    size_t start, length;
};

/* False: there is no room, the frame is lost. */
bool frames_queue(struct frames_out *out, const void *frame, size_t length);

/*
 * ARP, and IPv4 that goes neither to the host's loopback addresses, however spelled, nor to anything but the
 * resolver at the resolver's address: slirp would pass both on, the latter to whatever address the host's
 * resolver has.
 */
bool frame_allowed(const uint8_t *frame, size_t length);

#endif
