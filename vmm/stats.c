#include "stats.h"
#include "balloon.h"
#include "files.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int stats_fd = -1;

bool stats_open(const char *path, struct error *error) {
    uint64_t zeros[3] = {0};
    stats_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return (stats_fd >= 0 && write_at(stats_fd, zeros, sizeof zeros, 0)) ||
           fail(error, "CONFIG_INVALID", "MACHINEN_STATS_FILE: %.200s: %s", path, strerror(errno));
}

/* The balloon reports free pages by punching holes, so what the memfd has lost since its peak was reported free. */
static uint64_t reported_free(const struct vm *vm) {
    static uint64_t peak;
    struct stat info;
    if (!vm->memory.shared || fstat(vm->memory.fd, &info) != 0) {
        return 0;
    }
    uint64_t held = (uint64_t)info.st_blocks * 512;
    peak = held > peak ? held : peak;
    return peak - held;
}

void stats_update(const struct vm *vm) {
    static uint64_t written[3];
    uint64_t now[3] = {htole64(reported_free(vm)), htole64((uint64_t)(vm->memory_mib - balloon_ceiling()) << 20), 0};
    if (stats_fd >= 0 && memcmp(now, written, sizeof now) != 0 && write_at(stats_fd, now, sizeof now, 0)) {
        memcpy(written, now, sizeof now);
    }
}

void stats_remove(const char *path) {
    if (stats_fd >= 0) {
        unlink(path);
    }
}
