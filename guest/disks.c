#include "disks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool has_serial(const char *disk, const char *serial) {
    char path[320], text[32] = "";
    snprintf(path, sizeof path, "/sys/block/%s/serial", disk);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    return length > 0 && strcmp(text, serial) == 0;
}

bool disk_find(const char *serial, char path[DISK_PATH]) {
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

void disk_changed(const char *path, bool partitioned) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ioctl(fd, BLKFLSBUF);
        if (partitioned)
            ioctl(fd, BLKRRPART);
        close(fd);
    }
}
