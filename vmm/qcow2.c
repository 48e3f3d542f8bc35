#include "qcow2.h"
#include "files.h"
#include "loop.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    /* Our overlays use no incompatible feature; an external data file is one. Of a name that is empty QEMU writes the
     * place all the same, into what it has joined: the length tells. */
    return read_at(fd, &header, sizeof header, 0) && header.magic == htobe32(0x514649fb) &&
           header.version == htobe32(3) && header.backing_length == 0 && header.incompatible == 0 &&
           header.encryption == 0;
}

/* Entries of the L1 and L2 tables. */
#define OFFSET_MASK 0x00fffffffffffe00ull
#define COMPRESSED (1ull << 62)
#define READS_ZERO 1ull

/* The last cluster of a file may be short: the rest reads as zeros. */
static bool read_cluster(int fd, uint8_t *bytes, uint64_t offset) {
    size_t done = 0;
    while (done < CLUSTER) {
        ssize_t n = pread(fd, bytes + done, CLUSTER - done, (off_t)(offset + done));
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n == 0) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    memset(bytes + done, 0, CLUSTER - done);
    return true;
}

static bool apply_cluster(int fd, uint64_t entry, int to, uint64_t at, uint64_t size) {
    static uint8_t bytes[CLUSTER];
    uint64_t length = size - at < CLUSTER ? size - at : CLUSTER;
    if (entry & COMPRESSED) {
        errno = EINVAL;
        return false;
    }
    if (entry & READS_ZERO) {
        return fallocate(to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)length) == 0;
    }
    uint64_t offset = entry & OFFSET_MASK;
    return offset == 0 || (read_cluster(fd, bytes, offset) && write_at(to, bytes, length, (off_t)at));
}

/* Who broke out of its QEMU may have written the overlay: whatever it holds, only bytes of its own file are read. */
static bool apply_overlay(int fd, uint64_t size, int to) {
    static uint64_t l2[CLUSTER / 8];
    struct header header;
    if (!qcow2_is_self_contained(fd) || !read_at(fd, &header, sizeof header, 0) ||
        header.cluster_bits != htobe32(16) || be64toh(header.size) != size) {
        errno = EINVAL;
        return false;
    }
    for (uint64_t start = 0; start < size; start += L1_COVERS) {
        uint64_t entry, index = start / L1_COVERS;
        if (index >= be32toh(header.l1_entries) || loop_interrupted() ||
            !read_at(fd, &entry, sizeof entry, (off_t)((be64toh(header.l1_offset) & OFFSET_MASK) + 8 * index))) {
            errno = loop_interrupted() ? EINTR : EINVAL;
            return false;
        }
        uint64_t table = be64toh(entry) & OFFSET_MASK;
        if (table == 0) {
            continue;
        }
        if (!read_cluster(fd, (uint8_t *)l2, table)) {
            return false;
        }
        for (uint64_t i = 0; i < CLUSTER / 8 && start + i * CLUSTER < size; i++) {
            if (l2[i] != 0 && !apply_cluster(fd, be64toh(l2[i]), to, start + i * CLUSTER, size)) {
                return false;
            }
        }
    }
    return true;
}

bool qcow2_join(const int *layers, size_t count, uint64_t size, int to, struct error *error) {
    struct stat info;
    if (fstat(layers[0], &info) != 0 || ftruncate(to, (off_t)size) != 0) {
        return fail(error, errno == ENOSPC ? "NO_SPACE" : "BUNDLE_IO", "joining layers: %s", strerror(errno));
    }
    uint64_t base = (uint64_t)info.st_size < size ? (uint64_t)info.st_size : size;
    if (!copy_data(layers[0], to, base, error)) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (!apply_overlay(layers[i], size, to)) {
            const char *code = errno == ENOSPC ? "NO_SPACE" : errno == EINTR ? "INTERRUPTED" : "BUNDLE_IO";
            return fail(error, code, "joining layer %zu: %s", i, strerror(errno));
        }
    }
    return true;
}
