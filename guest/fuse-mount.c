#include "fuse-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is on the host is no program of this machine's root, nor its device. */
enum { FLAGS = MS_NOSUID | MS_NODEV };

static bool make_directories(const char *at) {
    char path[PATH_MAX];
    if (strlen(at) >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(path, at);
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

int fuse_mount(const char *at) {
    char options[128];
    int device = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0)
        return -1;
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other", device);
    if (!make_directories(at) || mount("machinen", at, "fuse.machinen", FLAGS, options) != 0) {
        int error = errno;
        close(device);
        errno = error;
        return -1;
    }
    return device;
}

/* Of this mount point, not of the file system: nothing has to be written back for it. */
bool fuse_set_mode(const char *at, bool read_only) {
    return mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | FLAGS | (read_only ? MS_RDONLY : 0), NULL) == 0;
}
