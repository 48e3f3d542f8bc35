/* Mounting a FUSE file system that somebody else serves. */
#ifndef MACHINEN_FUSE_MOUNT_H
#define MACHINEN_FUSE_MOUNT_H

#include <stdbool.h>

/* The device to serve it by, which does not block; or -1 with errno. Makes the directory. Never waits for the server. */
int fuse_mount(const char *at);
bool fuse_set_mode(const char *at, bool read_only);

#endif
