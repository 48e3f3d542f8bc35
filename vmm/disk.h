/*
 * A guest disk: read-only layers under one private qcow2 overlay, all of them nameless files. The lower layer
 * of a mount is read-only as a whole: its overlay is empty for ever and only gives it its size. A disk without
 * layers is a file of the caller's, which the guest writes to directly.
 */
#ifndef MACHINEN_DISK_H
#define MACHINEN_DISK_H

#include "captured.h"
#include "qmp.h"

/* A background job that joins all layers but the lowest into the overlay on top (flatten.h). */
enum flatten { FLATTEN_IDLE, FLATTEN_RUNS, FLATTEN_DONE, FLATTEN_FAILED };

/* As large as the largest directory that can be mounted, so that all machines with a mount have the same shape. */
#define MOUNT_LOWER_BYTES (1ull << 40)

struct disk {
    unsigned index;
    enum disk_use use;
    uint64_t size;
    size_t layers;
    int fds[MAX_LAYERS];      /* read-only; layer 0 is raw */
    unsigned ids[MAX_LAYERS]; /* in node names; they grow with every capture */
    int top, top_read_only;
    unsigned top_id;
    bool placeholder; /* QEMU started before all of its layers were known */
    int moment;       /* of a file of the caller's (scratch-disk.h): what it held when the machine was captured last */
    enum flatten flatten;
    const char *directory; /* overlays live in this one's file system */
};

/* An image of ours for a disk that is in use. False names the variable that led to it. */
bool disk_image(enum disk_use use, const char *path, struct captured_disk *image, struct error *error);
/* A fresh overlay over a raw image. `size` 0: as large as the image. */
bool disk_open(struct disk *disk, unsigned index, enum disk_use use, const char *path, uint64_t size,
               const char *directory, struct error *error);
/* A fresh overlay over captured layers, whose descriptors it takes over. */
bool disk_resume(struct disk *disk, unsigned index, struct captured_disk *from, const char *directory,
                 struct error *error);

/* The same, but more layers will come between these and the overlay. */
bool disk_expect(struct disk *disk, unsigned index, struct captured_disk *from, const char *directory,
                 struct error *error);
/* Now they are there (and taken over): puts the disk together in a QEMU that has not run yet. */
bool disk_attach(struct disk *disk, struct captured_disk *from, struct qmp *qmp, struct error *error);

/* QEMU's descriptor set for a layer; the overlay on top is layer `disk->layers`. */
unsigned long long disk_set(const struct disk *disk, size_t layer);
/* The `-blockdev` / `blockdev-add` description of a layer. `backing` false: joined to its backing later. */
void disk_layer_json(const struct disk *disk, size_t layer, bool backing, char *out, size_t room);

/* The overlay that a capture will put on top. */
struct next_overlay {
    int top, top_read_only;
};
/* While the guest runs: create it and hand it to QEMU. */
bool disk_prepare(struct disk *disk, struct qmp *qmp, struct next_overlay *next, struct error *error);
/* While it is stopped: what was on top becomes a layer that nobody writes any more. */
bool disk_freeze(struct disk *disk, struct qmp *qmp, struct next_overlay *next, struct error *error);
void disk_forget(struct disk *disk, struct qmp *qmp, struct next_overlay *next);
/* The layers between the lowest and the top are not needed any more. */
void disk_flattened(struct disk *disk, struct qmp *qmp);
/* Copies of the descriptors of every frozen layer. */
bool disk_export(struct disk *disk, struct captured_disk *to, struct error *error);

#endif
