/* The mount of a machine: a host directory packed into a squashfs disk, under what the guest writes on another one. */
#ifndef MACHINEN_MOUNT_DISKS_H
#define MACHINEN_MOUNT_DISKS_H

#include <stdbool.h>

/* The source that /proc/mounts shows: nobody can be waited for below it. */
#define MOUNT_DISKS_SOURCE "machinen-mount"

/* All that can be done before it is known what is on the lower disk: a template does it for all its machines. */
bool mount_disks_prepare(void);
/* Joins the two disks at `at`, which is made if it is not there. False with errno, and nothing is mounted. */
bool mount_disks(const char *at);

#endif
