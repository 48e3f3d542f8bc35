#include "disk.h"
#include "files.h"
#include "qcow2.h"
#include "scratch-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of an overlay that is there before all layers below it: beyond every number that they can have. */
#define EARLY_TOP_ID (2 * MAX_LAYERS)

static bool new_overlay(const struct disk *disk, struct next_overlay *next, struct error *error) {
    next->top = nameless_file(disk->directory);
    next->top_read_only = next->top < 0 ? -1 : reopen_read_only(next->top);
    if (next->top_read_only >= 0 && qcow2_write_empty(next->top, disk->size)) {
        return true;
    }
    fail(error, no_space_left() ? "NO_SPACE" : "DISK_FAILED", "a disk overlay in %.200s: %s", disk->directory,
         strerror(errno));
    close_fd(&next->top);
    close_fd(&next->top_read_only);
    return false;
}

static bool put_on_top(struct disk *disk, struct error *error) {
    struct next_overlay first;
    if (!new_overlay(disk, &first, error)) {
        return false;
    }
    disk->top = first.top;
    disk->top_read_only = first.top_read_only;
    disk->top_id = (unsigned)disk->layers;
    return true;
}

static void take_layers(struct disk *disk, struct captured_disk *from) {
    disk->layers = from->layers;
    for (size_t i = 0; i < from->layers; i++) {
        disk->ids[i] = (unsigned)i;
        disk->fds[i] = from->fds[i];
        from->fds[i] = -1;
    }
}

bool disk_resume(struct disk *disk, unsigned index, struct captured_disk *from, const char *directory,
                 struct error *error) {
    *disk = (struct disk){.index = index, .use = from->use, .size = from->size, .directory = directory};
    take_layers(disk, from);
    return put_on_top(disk, error);
}

bool disk_image(enum disk_use use, const char *path, struct captured_disk *image, struct error *error) {
    static const char *const variables[DISK_USES] = {
        [DISK_ROOT] = "MACHINEN_ROOTDISK", [DISK_MOUNT_LOWER] = "MACHINEN_MOUNT_LOWER", [DISK_MOUNT_UPPER] = "MACHINEN_MOUNT_UPPER"};
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return fail(error, "CONFIG_INVALID", "%s: %.200s: %s", variables[use], path, strerror(errno));
    }
    uint64_t bytes = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
    if (bytes < 512 || (use == DISK_MOUNT_LOWER && bytes > MOUNT_LOWER_BYTES)) {
        close_fd(&fd);
        return fail(error, "CONFIG_INVALID", "%s: %.200s: is %s", variables[use], path,
                    bytes < 512 ? "not a disk image" : "too large");
    }
    *image = (struct captured_disk){.use = use, .layers = 1, .fds = {fd}};
    image->size = use == DISK_MOUNT_LOWER ? MOUNT_LOWER_BYTES : (bytes + 511) & ~511ull;
    return true;
}

bool disk_open(struct disk *disk, unsigned index, enum disk_use use, const char *path, uint64_t size,
               const char *directory, struct error *error) {
    struct captured_disk image;
    if (!disk_image(use, path, &image, error)) {
        return false;
    }
    size = (size + 511) & ~511ull;
    if (size != 0 && size < image.size) {
        close_fd(&image.fds[0]);
        return fail(error, "CONFIG_INVALID", "MACHINEN_ROOTDISK_SIZE: is smaller than the image");
    }
    image.size = size ? size : image.size;
    return disk_resume(disk, index, &image, directory, error);
}

bool disk_expect(struct disk *disk, unsigned index, struct captured_disk *from, const char *directory,
                 struct error *error) {
    bool ok = disk_resume(disk, index, from, directory, error);
    if (disk->use != DISK_MOUNT_LOWER) {
        disk->placeholder = true;
        disk->top_id = EARLY_TOP_ID;
    }
    return ok;
}

static unsigned layer_id(const struct disk *disk, size_t layer) {
    return layer < disk->layers ? disk->ids[layer] : disk->top_id + (unsigned)(layer - disk->layers);
}

unsigned long long disk_set(const struct disk *disk, size_t layer) {
    /* QEMU reads it as an int. */
    return 1 + disk->index * 100000000ull + layer_id(disk, layer);
}

void disk_layer_json(const struct disk *disk, size_t layer, bool backing, char *out, size_t room) {
    bool writable = layer >= disk->layers && disk->use != DISK_MOUNT_LOWER;
    char below[48] = "";
    if (layer > 0) {
        snprintf(below, sizeof below, backing ? ",\"backing\":\"d%u-l%u\"" : ",\"backing\":null", disk->index,
                 layer_id(disk, layer - 1));
    }
    const char *no_flush = disk->layers > 0 ? "true" : "false";
    /* Nothing but a file of the caller's outlives a crash of the host, so nothing else is flushed to its disk; nobody
     * else opens these files for writing, or they are locked by us. */
    snprintf(out, room,
             "{\"driver\":\"%s\",\"node-name\":\"d%u-l%u\",\"read-only\":%s,\"discard\":\"unmap\","
             "\"cache\":{\"no-flush\":%s},\"file\":{\"driver\":\"file\",\"filename\":\"/dev/fdset/%llu\","
             "\"locking\":\"off\",\"discard\":\"unmap\",\"cache\":{\"no-flush\":%s}}%s}",
             layer == 0 ? "raw" : "qcow2", disk->index, layer_id(disk, layer), writable ? "false" : "true", no_flush,
             disk_set(disk, layer), no_flush, below);
}

static bool add_fd(const struct disk *disk, struct qmp *qmp, size_t layer, int fd, struct error *error) {
    return qmp_command(qmp, fd, NULL, error, "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":%llu}}\n",
                       disk_set(disk, layer));
}

static bool add_layer(const struct disk *disk, struct qmp *qmp, size_t layer, bool backing, struct error *error) {
    char json[512];
    disk_layer_json(disk, layer, backing, json, sizeof json);
    return qmp_command(qmp, -1, NULL, error, "{\"execute\":\"blockdev-add\",\"arguments\":%s}\n", json);
}

/* Puts an overlay that has nothing below it yet over a node. */
static bool snapshot(const struct disk *disk, struct qmp *qmp, unsigned below, unsigned overlay, struct error *error) {
    return qmp_command(qmp, -1, NULL, error,
                       "{\"execute\":\"blockdev-snapshot\",\"arguments\":{\"node\":\"d%u-l%u\",\"overlay\":\"d%u-l%u\"}}\n",
                       disk->index, below, disk->index, overlay);
}

static bool same_file(int one, int two) {
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(two, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* How many of the layers are there already. None when the chain was joined meanwhile: it has others now. */
static size_t known_layers(const struct disk *disk, const struct captured_disk *from) {
    for (size_t i = 0; i < disk->layers; i++) {
        if (i >= from->layers || !same_file(disk->fds[i], from->fds[i])) {
            return 0;
        }
    }
    return disk->layers;
}

/* The nodes of layers that turned out to be of no use stay, unused. */
static void adopt_layers(struct disk *disk, struct captured_disk *from, size_t known) {
    unsigned next_id = (unsigned)disk->layers;
    for (size_t i = known; i < disk->layers; i++) {
        close_fd(&disk->fds[i]);
    }
    for (size_t i = known; i < from->layers; i++) {
        disk->ids[i] = next_id++;
        disk->fds[i] = from->fds[i];
        from->fds[i] = -1;
    }
    disk->layers = from->layers;
}

bool disk_attach(struct disk *disk, struct captured_disk *from, struct qmp *qmp, struct error *error) {
    if (from->size != disk->size) {
        return fail(error, "STATE_INVALID", "disk %u is not as large as was said", disk->index);
    }
    if (!disk->placeholder) {
        return true;
    }
    size_t known = known_layers(disk, from);
    adopt_layers(disk, from, known);
    for (size_t layer = known; layer < disk->layers; layer++) {
        if (!add_fd(disk, qmp, layer, disk->fds[layer], error) || !add_layer(disk, qmp, layer, true, error)) {
            return false;
        }
    }
    return snapshot(disk, qmp, layer_id(disk, disk->layers - 1), disk->top_id, error) &&
           qmp_command(qmp, -1, NULL, error,
                       "{\"execute\":\"blockdev-reopen\",\"arguments\":{\"options\":[{\"driver\":\"raw\","
                       "\"node-name\":\"d%u\",\"file\":\"d%u-l%u\"}]}}\n",
                       disk->index, disk->index, disk->top_id);
}

bool disk_prepare(struct disk *disk, struct qmp *qmp, struct next_overlay *next, struct error *error) {
    size_t layer = disk->layers + 1;
    *next = (struct next_overlay){-1, -1};
    if (disk->use == DISK_MOUNT_LOWER || disk->layers == 0) {
        return true;
    }
    if (layer >= MAX_LAYERS) {
        return fail(error, "DISK_CHAIN", "disk %u has %zu layers that could not be joined; make room on the host's disk and try again",
                    disk->index, disk->layers);
    }
    if (!new_overlay(disk, next, error)) {
        return false;
    }
    /* The set needs both: QEMU opens it for writing now and for reading when it is frozen. */
    if (add_fd(disk, qmp, layer, next->top, error) && add_fd(disk, qmp, layer, next->top_read_only, error) &&
        add_layer(disk, qmp, layer, false, error)) {
        return true;
    }
    disk_forget(disk, qmp, next);
    return false;
}

bool disk_freeze(struct disk *disk, struct qmp *qmp, struct next_overlay *next, struct error *error) {
    if (disk->use == DISK_MOUNT_LOWER) {
        return true;
    }
    if (disk->layers == 0) {
        return scratch_disk_copy(disk, error);
    }
    if (!snapshot(disk, qmp, disk->top_id, disk->top_id + 1, error)) {
        return false;
    }
    close_fd(&disk->top);
    disk->ids[disk->layers] = disk->top_id++;
    disk->fds[disk->layers++] = disk->top_read_only;
    disk->top = next->top;
    disk->top_read_only = next->top_read_only;
    *next = (struct next_overlay){-1, -1};
    return true;
}

/* The node is nobody's backing any more. */
static void remove_layer(const struct disk *disk, struct qmp *qmp, size_t layer) {
    struct error ignored;
    qmp_command(qmp, -1, NULL, &ignored, "{\"execute\":\"blockdev-del\",\"arguments\":{\"node-name\":\"d%u-l%u\"}}\n",
                disk->index, layer_id(disk, layer));
    qmp_command(qmp, -1, NULL, &ignored, "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":%llu}}\n",
                disk_set(disk, layer));
}

void disk_forget(struct disk *disk, struct qmp *qmp, struct next_overlay *next) {
    if (next->top >= 0) {
        remove_layer(disk, qmp, disk->layers + 1);
        close_fd(&next->top);
        close_fd(&next->top_read_only);
    }
}

void disk_flattened(struct disk *disk, struct qmp *qmp) {
    for (size_t layer = disk->layers - 1; layer > 0; layer--) {
        remove_layer(disk, qmp, layer);
        close_fd(&disk->fds[layer]);
    }
    disk->layers = 1;
}

bool disk_export(struct disk *disk, struct captured_disk *to, struct error *error) {
    to->use = disk->use;
    to->size = disk->size;
    if (disk->layers == 0) {
        return scratch_disk_export(disk, to, error);
    }
    to->layers = disk->layers;
    for (size_t i = 0; i < disk->layers; i++) {
        to->fds[i] = fcntl(disk->fds[i], F_DUPFD_CLOEXEC, 3);
        if (to->fds[i] < 0) {
            return fail(error, "DISK_FAILED", "a descriptor: %s", strerror(errno));
        }
    }
    return true;
}
