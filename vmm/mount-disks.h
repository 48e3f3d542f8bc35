/* The two disks of a mount: a read-only squashfs image, and what the guest writes over it. */
#ifndef MACHINEN_MOUNT_DISKS_H
#define MACHINEN_MOUNT_DISKS_H

#include "captured.h"
#include "config.h"

/* Nothing is on a template's lower disk: it gives way to that of the machine that the template becomes. */
bool mount_disks_replace(const struct config *config, struct captured *captured, struct error *error);

#endif
