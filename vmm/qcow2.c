#include "qcow2.h"
#include "files.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLUSTER 65536ull
/* One entry of the L1 table points to one cluster of 8-byte L2 entries. */
#define L1_COVERS (CLUSTER / 8 * CLUSTER)

/* Version 3 header (docs/interop/qcow2.txt in QEMU's source), big-endian. */
struct header {
    uint32_t magic, version;
    uint64_t backing_offset;
    uint32_t backing_length, cluster_bits;
    uint64_t size;
    uint32_t encryption, l1_entries;
    uint64_t l1_offset, refcount_offset;
    uint32_t refcount_clusters, snapshots;
    uint64_t snapshots_offset, incompatible, compatible, autoclear;
    uint32_t refcount_order, header_length;
    /* End of the header extensions. */
    uint64_t end;
} __attribute__((packed));

bool qcow2_write_empty(int fd, uint64_t size) {
    /* Cluster 0 header, 1 refcount table, 2 refcount block, 3 L1 table: one of each is enough. */
    enum { USED_CLUSTERS = 4 };
    if (size == 0 || size > QCOW2_MAX_BYTES) {
        errno = EFBIG;
        return false;
    }
    struct header header = {
        .magic = htobe32(0x514649fb),
        .version = htobe32(3),
        .cluster_bits = htobe32(16),
        .size = htobe64(size),
        .l1_entries = htobe32((uint32_t)((size + L1_COVERS - 1) / L1_COVERS)),
        .l1_offset = htobe64(3 * CLUSTER),
        .refcount_offset = htobe64(CLUSTER),
        .refcount_clusters = htobe32(1),
        .refcount_order = htobe32(4),
        .header_length = htobe32(104),
    };
    uint64_t block = htobe64(2 * CLUSTER);
    uint16_t counts[USED_CLUSTERS];
    for (int i = 0; i < USED_CLUSTERS; i++) {
        counts[i] = htobe16(1);
    }
    return ftruncate(fd, USED_CLUSTERS * CLUSTER) == 0 && write_at(fd, &header, sizeof header, 0) &&
           write_at(fd, &block, sizeof block, CLUSTER) && write_at(fd, counts, sizeof counts, 2 * CLUSTER);
}

bool qcow2_is_self_contained(int fd) {
    struct header header;
    /* Our overlays use no incompatible feature; an external data file is one. */
    return read_at(fd, &header, sizeof header, 0) && header.magic == htobe32(0x514649fb) &&
           header.version == htobe32(3) && header.backing_offset == 0 && header.incompatible == 0 &&
           header.encryption == 0;
}
