#include "scratch-disk.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE "MACHINEN_SCRATCH_DISK"
/* As large as a disk of a captured machine may be. */
#define MOST_BYTES (1ull << 42)

/* The QEMU of a machine that was killed a moment ago has it still. */
#define MOST_WAIT_MS 1000

static int claimed = -1;

static bool check_size(const char *path, const struct stat *info, struct error *error) {
    if (!S_ISREG(info->st_mode)) {
        return fail(error, "CONFIG_INVALID", VARIABLE ": %.200s: is no regular file", path);
    }
    if (info->st_size < 512 || (uint64_t)info->st_size > MOST_BYTES) {
        return fail(error, "CONFIG_INVALID", VARIABLE ": %.200s: has %lld bytes, a disk needs 512 to %llu", path,
                    (long long)info->st_size, MOST_BYTES);
    }
    return true;
}

/* The lock belongs to what is open, which QEMU inherits: it goes with the last of us. Other QEMUs look for such locks, too. */
static bool lock(const char *path, struct error *error) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool busy = true;
    for (unsigned waited = 0; busy && waited <= MOST_WAIT_MS; waited += 10) {
        if (fcntl(claimed, F_OFD_SETLK, &whole) == 0) {
            return true;
        }
        busy = (errno == EAGAIN || errno == EACCES) && usleep(10000) == 0;
    }
    return busy ? fail(error, "DISK_IN_USE", "%.200s: is in use", path)
                : fail(error, "CONFIG_INVALID", VARIABLE ": %.200s: cannot be locked: %s", path, strerror(errno));
}

bool scratch_disk_claim(const char *path, struct error *error) {
    struct stat info;
    claimed = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (claimed < 0 || fstat(claimed, &info) != 0) {
        return fail(error, "CONFIG_INVALID", VARIABLE ": %.200s: %s", path, strerror(errno));
    }
    return check_size(path, &info, error) && lock(path, error);
}

bool scratch_disk_open(struct disk *disk, unsigned index, uint64_t size, const char *directory, struct error *error) {
    struct stat info;
    if (fstat(claimed, &info) != 0) {
        return fail(error, "CONFIG_INVALID", VARIABLE ": %s", strerror(errno));
    }
    uint64_t bytes = ((uint64_t)info.st_size + 511) & ~511ull;
    if (size != 0 && size != bytes) {
        return fail(error, "CONFIG_INVALID", VARIABLE ": has %llu bytes, the template's disk %llu", (unsigned long long)bytes,
                    (unsigned long long)size);
    }
    *disk = (struct disk){.index = index, .use = DISK_SCRATCH, .size = bytes, .directory = directory,
                          .top = claimed, .top_read_only = -1, .moment = -1};
    claimed = -1;
    return true;
}

bool scratch_disk_is_placed(struct error *error) {
    return claimed < 0 || fail(error, "CONFIG_INVALID", VARIABLE ": the template has no scratch disk");
}

/* Some file systems share the blocks. */
static bool copy_content(const struct disk *disk, int to) {
    struct error ignored;
    return (ioctl(to, FICLONE, disk->top) == 0 || copy_data(disk->top, to, disk->size, &ignored)) &&
           ftruncate(to, (off_t)disk->size) == 0;
}

bool scratch_disk_copy(struct disk *disk, struct error *error) {
    close_fd(&disk->moment);
    int copy = nameless_file(disk->directory);
    if (copy >= 0 && copy_content(disk, copy)) {
        disk->moment = reopen_read_only(copy);
    }
    bool ok = disk->moment >= 0 || fail(error, no_space_left() ? "NO_SPACE" : "DISK_FAILED",
                                        "a copy of the scratch disk in %.200s: %s", disk->directory, strerror(errno));
    close_fd(&copy);
    return ok;
}

static int empty_disk(uint64_t size) {
    int file = memfd_new("machinen-scratch", size), fd = file < 0 ? -1 : reopen_read_only(file);
    close_fd(&file);
    return fd;
}

bool scratch_disk_export(struct disk *disk, struct captured_disk *to, struct error *error) {
    int fd = disk->moment >= 0 ? disk->moment : empty_disk(disk->size);
    disk->moment = -1;
    to->layers = 1;
    to->fds[0] = fd;
    return fd >= 0 || fail(error, "NO_SPACE", "the scratch disk: %s", strerror(errno));
}
