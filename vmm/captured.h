/* Everything a second VMM needs to resume a guest: what `capture` hands out and a bundle holds. */
#ifndef MACHINEN_CAPTURED_H
#define MACHINEN_CAPTURED_H

#include "error.h"
#include "json.h"
#include "stream.h"

#define MAX_DISKS 4
#define MAX_LAYERS 60
#define MAX_TEMPLATE_KEY 64
#define MAX_CAPTURED_FDS (2 + MAX_DISKS * MAX_LAYERS)
/* Devices and their order. A state can be loaded only where this is the same. */
#define MACHINE_NAME "microvm-3"

/* What the guest has a disk for, in the order it sees them. All but the root are found by their serial numbers: the names in captured.c. */
enum disk_use { DISK_ROOT, DISK_SCRATCH, DISK_MOUNT_LOWER, DISK_MOUNT_UPPER };
#define DISK_USES 4

struct captured_disk {
    enum disk_use use;
    uint64_t size;
    size_t layers;
    int fds[MAX_LAYERS]; /* read-only, from the bottom up: raw, then qcow2 */
};

struct captured {
    uint32_t memory_mib, cpus;
    uint32_t ceiling_mib; /* what of the memory is not in the guest's balloon */
    uint8_t key[LINK_KEY_BYTES];
    char accel[8], machine[24], qemu[24];
    char template[MAX_TEMPLATE_KEY + 1]; /* of the base it shares; only in the answer to `base` */
    char processor[64]; /* the host's */
    uint64_t tsc_khz;   /* by which its kernel counts time; 0: unknown */
    uint64_t pause_us;
    bool network, connections; /* connections: some of the guest's may be open */
    int memory_fd, state_fd; /* memory: all of it, the base or the delta, as was asked for */
    size_t disk_count;
    struct captured_disk disks[MAX_DISKS];
};

extern const char *const disk_use_names[DISK_USES];

/* No descriptors yet (-1 everywhere). */
void captured_init(struct captured *captured);
void captured_close(struct captured *captured);
/* The same moment once more, with descriptors of its own. False with errno. */
bool captured_copy(const struct captured *from, struct captured *to);
/* The members of the JSON object, without braces. Returns `out`. */
char *captured_json(const struct captured *captured, char *out, size_t room);
/* Reads these members; descriptors stay -1. */
bool captured_parse(struct json object, struct captured *captured, struct error *error);
/* How many descriptors its description tells of. */
size_t captured_count(const struct captured *captured);
/* The descriptors in the order of docs/protocol.md; without the device state where there is none (`base`). */
size_t captured_fds(const struct captured *captured, int fds[MAX_CAPTURED_FDS]);
/* Takes over `count` descriptors in that order, with or without a device state; false (and all closed) when the number is wrong. */
bool captured_adopt(struct captured *captured, bool state, const int *fds, size_t count);
void key_to_hex(const uint8_t key[LINK_KEY_BYTES], char hex[2 * LINK_KEY_BYTES + 1]);

#endif
