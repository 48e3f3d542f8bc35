#include "memory.h"
#include "cgroup-memory.h"
#include "pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

uint64_t memory_private(const struct memory *memory, pid_t qemu) {
    struct runs runs = {0};
    uint64_t bytes = !memory->shared && pages_scan(memory, qemu, PAGES_OWN, &runs) ? runs.bytes : 0;
    runs_free(&runs);
    return bytes;
}

uint64_t memory_touched(const struct memory *memory, pid_t qemu) {
    struct stat info;
    return memory_private(memory, qemu) + (fstat(memory->fd, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0);
}

/* Left to the host beside what is asked for. */
#define HOST_BYTES (64ull << 20)

static uint64_t host_available(void) {
    unsigned long long kib = UINT64_MAX >> 10;
    char line[128];
    FILE *info = fopen("/proc/meminfo", "re");
    while (info && fgets(line, sizeof line, info)) {
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1) {
            break;
        }
    }
    if (info) {
        fclose(info);
    }
    uint64_t here = (uint64_t)kib << 10, group = cgroup_available("/proc/self/cgroup", "/sys/fs/cgroup");
    return here < group ? here : group;
}

bool host_has(uint64_t bytes, struct error *error) {
    uint64_t needed = bytes + HOST_BYTES, available = host_available();
    return needed <= available || fail(error, "NO_SPACE", "the copy needs %llu MiB of memory, there are %llu",
                                       (unsigned long long)needed >> 20, (unsigned long long)available >> 20);
}

bool is_sealed(int fd, uint64_t size) {
    struct stat info;
    int seals = fcntl(fd, F_GET_SEALS), wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    return seals >= 0 && (seals & wanted) == wanted && fstat(fd, &info) == 0 && (size == 0 || (uint64_t)info.st_size == size);
}
