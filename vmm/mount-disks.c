#include "mount-disks.h"
#include "disk.h"
#include "files.h"

bool mount_disks_replace(const struct config *config, struct captured *captured, struct error *error) {
    if (!config->mount_lower) {
        return true;
    }
    for (size_t i = 0; i < captured->disk_count; i++) {
        struct captured_disk *disk = &captured->disks[i], own;
        if (disk->use == DISK_MOUNT_LOWER) {
            if (!disk_image(disk->use, config->mount_lower, &own, error)) {
                return false;
            }
            close_fd(&disk->fds[0]);
            disk->fds[0] = own.fds[0];
            return true;
        }
    }
    return fail(error, "CONFIG_INVALID", "MACHINEN_MOUNT_LOWER: the template has no disks for a mount");
}
