#include "disk.h"
#include "files.h"
#include "qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some file systems have no O_TMPFILE: there the name lives for an instant. */
static int nameless_file(const char *directory) {
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        char path[4096];
        snprintf(path, sizeof path, "%s/.overlay-XXXXXX", directory);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            unlink(path);
        }
    }
    return fd;
}

static bool new_overlay(const struct disk *disk, struct next_overlay *next, struct error *error) {
    next->top = nameless_file(disk->directory);
    next->top_read_only = next->top < 0 ? -1 : reopen_read_only(next->top);
    if (next->top_read_only >= 0 && qcow2_write_empty(next->top, disk->size)) {
        return true;
    }
    fail(error, errno == ENOSPC ? "NO_SPACE" : "DISK_FAILED", "a disk overlay in %.200s: %s", disk->directory,
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
    return true;
}

bool disk_open(struct disk *disk, const char *image, uint64_t size, const char *directory, struct error *error) {
    struct stat info;
    int fd = open(image, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return fail(error, "CONFIG_INVALID", "MACHINEN_ROOTDISK: %.200s: %s", image, strerror(errno));
    }
    if (!S_ISREG(info.st_mode) || info.st_size < 512) {
        return fail(error, "CONFIG_INVALID", "MACHINEN_ROOTDISK: %.200s: is not a disk image", image);
    }
    if (size != 0 && size < (uint64_t)info.st_size) {
        return fail(error, "CONFIG_INVALID", "MACHINEN_ROOTDISK_SIZE: is smaller than the image");
    }
    size = size ? size : (uint64_t)info.st_size;
    *disk = (struct disk){.size = (size + 511) & ~511ull, .layers = 1, .fds = {fd}, .directory = directory};
    return put_on_top(disk, error);
}

bool disk_resume(struct disk *disk, unsigned index, struct captured_disk *from, const char *directory,
                 struct error *error) {
    *disk = (struct disk){.index = index, .size = from->size, .layers = from->layers, .directory = directory};
    for (size_t i = 0; i < from->layers; i++) {
        disk->fds[i] = from->fds[i];
        from->fds[i] = -1;
    }
    return put_on_top(disk, error);
}

unsigned disk_set(const struct disk *disk, size_t layer) {
    return 1 + disk->index * 1000 + (unsigned)layer;
}

void disk_layer_json(const struct disk *disk, size_t layer, bool backing, char *out, size_t room) {
    bool top = layer >= disk->layers;
    char below[48] = "";
    if (layer > 0) {
        snprintf(below, sizeof below, backing ? ",\"backing\":\"d%u-l%zu\"" : ",\"backing\":null", disk->index,
                 layer - 1);
    }
    /* Nothing here outlives a crash of the host, so nothing is flushed to its disk; nobody else opens
     * these files for writing, so nothing is locked. */
    snprintf(out, room,
             "{\"driver\":\"%s\",\"node-name\":\"d%u-l%zu\",\"read-only\":%s,\"discard\":\"unmap\","
             "\"cache\":{\"no-flush\":true},\"file\":{\"driver\":\"file\",\"filename\":\"/dev/fdset/%u\","
             "\"locking\":\"off\",\"discard\":\"unmap\",\"cache\":{\"no-flush\":true}}%s}",
             layer == 0 ? "raw" : "qcow2", disk->index, layer, top ? "false" : "true", disk_set(disk, layer), below);
}

bool disk_prepare(struct disk *disk, struct qmp *qmp, struct next_overlay *next, struct error *error) {
    char json[512];
    size_t layer = disk->layers + 1;
    *next = (struct next_overlay){-1, -1};
    if (layer >= MAX_LAYERS) {
        return fail(error, "DISK_CHAIN", "disk %u has been captured %d times; restore it from a snapshot first",
                    disk->index, MAX_LAYERS - 2);
    }
    if (!new_overlay(disk, next, error)) {
        return false;
    }
    /* The set needs both: QEMU opens it for writing now and for reading when it is frozen. */
    static const char add[] = "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":%u}}\n";
    disk_layer_json(disk, layer, false, json, sizeof json);
    if (qmp_command(qmp, next->top, NULL, error, add, disk_set(disk, layer)) &&
        qmp_command(qmp, next->top_read_only, NULL, error, add, disk_set(disk, layer)) &&
        qmp_command(qmp, -1, NULL, error, "{\"execute\":\"blockdev-add\",\"arguments\":%s}\n", json)) {
        return true;
    }
    disk_forget(disk, qmp, next);
    return false;
}

bool disk_freeze(struct disk *disk, struct qmp *qmp, struct next_overlay *next, struct error *error) {
    if (!qmp_command(qmp, -1, NULL, error,
                     "{\"execute\":\"blockdev-snapshot\",\"arguments\":{\"node\":\"d%u-l%zu\",\"overlay\":\"d%u-l%zu\"}}\n",
                     disk->index, disk->layers, disk->index, disk->layers + 1)) {
        return false;
    }
    close_fd(&disk->top);
    disk->fds[disk->layers++] = disk->top_read_only;
    disk->top = next->top;
    disk->top_read_only = next->top_read_only;
    *next = (struct next_overlay){-1, -1};
    return true;
}

void disk_forget(struct disk *disk, struct qmp *qmp, struct next_overlay *next) {
    struct error ignored;
    size_t layer = disk->layers + 1;
    if (next->top < 0) {
        return;
    }
    qmp_command(qmp, -1, NULL, &ignored, "{\"execute\":\"blockdev-del\",\"arguments\":{\"node-name\":\"d%u-l%zu\"}}\n",
                disk->index, layer);
    qmp_command(qmp, -1, NULL, &ignored, "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":%u}}\n",
                disk_set(disk, layer));
    close_fd(&next->top);
    close_fd(&next->top_read_only);
}

bool disk_export(const struct disk *disk, struct captured_disk *to, struct error *error) {
    to->size = disk->size;
    to->layers = disk->layers;
    for (size_t i = 0; i < disk->layers; i++) {
        to->fds[i] = fcntl(disk->fds[i], F_DUPFD_CLOEXEC, 3);
        if (to->fds[i] < 0) {
            return fail(error, "DISK_FAILED", "a descriptor: %s", strerror(errno));
        }
    }
    return true;
}
