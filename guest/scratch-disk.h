/* The disk that is a file of the caller's (docs/protocol.md, section 6). What is on it is the guest's business. */
#ifndef MACHINEN_SCRATCH_DISK_H
#define MACHINEN_SCRATCH_DISK_H

/* Where it is, whatever its letter. */
#define SCRATCH_DISK "/dev/disk/by-id/virtio-scratch"

/* Gives it its name. */
void scratch_disk_begin(void);
/* The template's disk has become another one. */
void scratch_disk_changed(void);

#endif
