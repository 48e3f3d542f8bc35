#include "mount-disks.h"

#include "console.h"
#include "disks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char base[] = "/run/machinen/mount", lower[] = "/run/machinen/mount/lower",
                  upper[] = "/run/machinen/mount/upper", data[] = "/run/machinen/mount/upper/data",
                  work[] = "/run/machinen/mount/upper/work";

static char lower_disk[DISK_PATH];
static bool prepared, is_new; /* is_new: nothing was ever written over the packed directory */

static bool make_directories(const char *path) {
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(part, path, length + 1);
    for (char *slash = part + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(part, 0755) == 0 || errno == EEXIST;
}

static bool mount_lower(void) {
    disk_changed(lower_disk, false);
    mkdir(lower, 0700);
    return mount(lower_disk, lower, "squashfs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) == 0;
}

bool mount_disks_prepare(void) {
    char disk[DISK_PATH];
    if (prepared)
        return true;
    mkdir("/run/machinen", 0700);
    mkdir(base, 0700);
    mkdir(upper, 0700);
    if (!disk_find("mount-lower", lower_disk) || !disk_find("mount-upper", disk) ||
        mount(disk, upper, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
              "noinit_itable,no_prefetch_block_bitmaps,discard") != 0)
        return false;
    is_new = mkdir(data, 0700) == 0;
    mkdir(work, 0700);
    prepared = true;
    return true;
}

static bool join(const char *at) {
    struct stat root;
    char options[256];
    /* What lies over the packed directory's root is what shows its mode. */
    if (is_new && (stat(lower, &root) != 0 || chmod(data, root.st_mode & 07777) != 0))
        return false;
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s,redirect_dir=on,metacopy=on", lower, data, work);
    return make_directories(at) && mount(MOUNT_DISKS_SOURCE, at, "overlay", MS_NOSUID | MS_NODEV | MS_NOATIME, options) == 0;
}

bool mount_disks(const char *at) {
    bool joined = mount_disks_prepare() && mount_lower() && join(at);
    int reason = errno;
    /* The overlay holds both: hidden, they go when it does. */
    umount2(upper, MNT_DETACH);
    umount2(lower, MNT_DETACH);
    prepared = false;
    if (!joined)
        console_say("mount %s: %s", at, strerror(reason));
    errno = reason;
    return joined;
}
