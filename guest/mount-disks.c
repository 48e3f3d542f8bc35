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
                  upper[] = "/run/machinen/mount/upper";

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
static bool find_disk(const char *serial, char *path, size_t room) {
    DIR *disks = opendir("/sys/block");
    bool found = false;
    for (struct dirent *entry; disks != NULL && !found && (entry = readdir(disks)) != NULL;) {
        found = strncmp(entry->d_name, "vd", 2) == 0 && has_serial(entry->d_name, serial);
        if (found)
            snprintf(path, room, "/dev/%s", entry->d_name);
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

static bool mount_disk(const char *serial, const char *at, const char *type, unsigned long flags, const char *options) {
    char disk[300];
    if (!find_disk(serial, disk, sizeof disk))
        return false;
    forget_blocks(disk);
    mkdir(at, 0700);
    return mount(disk, at, type, flags, options) == 0;
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

static bool join(const char *at) {
    struct stat root;
    char data[64], work[64], options[256];
    snprintf(data, sizeof data, "%s/data", upper);
    snprintf(work, sizeof work, "%s/work", upper);
    /* What lies over the packed directory's root is what shows its mode. */
    if (stat(lower, &root) != 0 || (mkdir(data, 0700) == 0 && chmod(data, root.st_mode & 07777) != 0))
        return false;
    mkdir(work, 0700);
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s,redirect_dir=on,metacopy=on", lower, data, work);
    return make_directories(at) && mount(MOUNT_DISKS_SOURCE, at, "overlay", MS_NOSUID | MS_NODEV | MS_NOATIME, options) == 0;
}

bool mount_disks(const char *at) {
    mkdir("/run/machinen", 0700);
    mkdir(base, 0700);
    bool joined = mount_disk("mount-lower", lower, "squashfs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) &&
                  mount_disk("mount-upper", upper, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
                             "noinit_itable,no_prefetch_block_bitmaps,discard") &&
                  join(at);
    int reason = errno;
    /* The overlay holds both: hidden, they go when it does. */
    umount2(upper, MNT_DETACH);
    umount2(lower, MNT_DETACH);
    if (!joined)
        console_say("mount %s: %s", at, strerror(reason));
    errno = reason;
    return joined;
}
