#include "mount-disks.h"
#include "disk.h"
#include "files.h"

bool mount_disks_replace(const struct config *config, struct captured *captured, struct error *error) {
    const char *const paths[DISK_USES] = {NULL, config->mount_lower, config->mount_upper};
    size_t replaced = 0;
    for (size_t i = 0; i < captured->disk_count; i++) {
        struct captured_disk *disk = &captured->disks[i], own;
        if (!paths[disk->use]) {
            continue;
        }
        if (!disk_image(disk->use, paths[disk->use], &own, error)) {
            return false;
        }
        if (own.size != disk->size || disk->layers != 1) {
            close_fd(&own.fds[0]);
            return fail(error, "CONFIG_INVALID", "MACHINEN_MOUNT_UPPER: must have %llu bytes, as in the template",
                        (unsigned long long)disk->size);
        }
        close_fd(&disk->fds[0]);
        disk->fds[0] = own.fds[0];
        replaced++;
    }
    return replaced == 2 || !config->mount_lower ||
           fail(error, "CONFIG_INVALID", "MACHINEN_MOUNT_LOWER: the template has no disks for a mount");
}
