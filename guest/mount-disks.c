#include "mount-disks.h"

#include "console.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char base[] = "/run/machinen/mount", lower[] = "/run/machinen/mount/lower",
                  upper[] = "/run/machinen/mount/upper", data[] = "/run/machinen/mount/upper/data",
                  work[] = "/run/machinen/mount/upper/work";
enum { DISK_PATH = 300 };

static char lower_disk[DISK_PATH];
static bool prepared, is_new; /* is_new: nothing was ever written over the packed directory */

static bool has_serial(const char *disk, const char *serial) {
    char path[320], text[32] = "";
    snprintf(path, sizeof path, "/sys/block/%s/serial", disk);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    return length > 0 && strcmp(text, serial) == 0;
}

/* By the serial number: which letter a disk has depends on the others. */
static bool find_disk(const char *serial, char path[DISK_PATH]) {
    DIR *disks = opendir("/sys/block");
    bool found = false;
    for (struct dirent *entry; disks != NULL && !found && (entry = readdir(disks)) != NULL;) {
        found = strncmp(entry->d_name, "vd", 2) == 0 && has_serial(entry->d_name, serial);
        if (found)
            snprintf(path, DISK_PATH, "/dev/%s", entry->d_name);
    }
    if (disks != NULL)
        closedir(disks);
    if (!found)
        errno = ENODEV;
    return found;
}

/* A template looked at other disks in the place of these. */
static void forget_blocks(const char *disk) {
    int fd = open(disk, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ioctl(fd, BLKFLSBUF);
        close(fd);
    }
}

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
    forget_blocks(lower_disk);
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
    if (!find_disk("mount-lower", lower_disk) || !find_disk("mount-upper", disk) ||
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
