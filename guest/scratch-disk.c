#include "scratch-disk.h"

#include "console.h"
#include "disks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char disk[DISK_PATH];

void scratch_disk_begin(void) {
    char target[DISK_PATH + 8];
    if (!disk_find("scratch", disk)) {
        *disk = '\0';
        return;
    }
    snprintf(target, sizeof target, "../..%s", disk + strlen("/dev"));
    mkdir("/dev/disk", 0755);
    mkdir("/dev/disk/by-id", 0755);
    if (symlink(target, SCRATCH_DISK) != 0)
        console_say("%s: %s", SCRATCH_DISK, strerror(errno));
}

void scratch_disk_changed(void) {
    if (*disk != '\0')
        disk_changed(disk, true);
}
