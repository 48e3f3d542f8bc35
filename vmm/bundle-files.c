#include "bundle-files.h"

#include <stdio.h>
#include <string.h>

void bundle_file_name(const struct captured *captured, size_t index, char name[BUNDLE_NAME]) {
    static const char *const fixed[2] = {"memory.img", "device.state"};
    if (index < 2) {
        snprintf(name, BUNDLE_NAME, "%s", fixed[index]);
        return;
    }
    size_t disk = 0;
    for (index -= 2; index >= captured->disks[disk].layers; disk++) {
        index -= captured->disks[disk].layers;
    }
    enum disk_use use = captured->disks[disk].use;
    if (use == DISK_MOUNT_LOWER || use == DISK_MOUNT_UPPER) {
        snprintf(name, BUNDLE_NAME, "%s.%s", disk_use_names[use], use == DISK_MOUNT_LOWER ? "sqfs" : "img");
        return;
    }
    snprintf(name, BUNDLE_NAME, "disk%u-%u.%s", (unsigned)disk & 7, (unsigned)index & 255, index == 0 ? "raw" : "qcow2");
}

const struct captured_disk *bundle_files(const struct captured *captured, struct captured *files) {
    const struct captured_disk *upper = NULL;
    *files = *captured;
    for (size_t i = 0; i < captured->disk_count; i++) {
        if (captured->disks[i].use == DISK_MOUNT_UPPER) {
            upper = &captured->disks[i];
            files->disks[i].layers = 1;
        }
    }
    return upper;
}

const char *bundle_place(const struct captured *captured, const char *const places[DISK_USES], const char *name) {
    for (size_t i = 0; places && i < captured->disk_count; i++) {
        enum disk_use use = captured->disks[i].use;
        if (places[use] && strncmp(name, disk_use_names[use], strlen(disk_use_names[use])) == 0) {
            return places[use];
        }
    }
    return name;
}
