#include "run-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_own(const char *path) {
    struct stat info;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &info) != 0 || info.st_uid != geteuid() || (info.st_mode & 07777) != 0700)) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

bool run_dir_check(const char *path, struct error *error) {
    int fd = open_own(path);
    if (fd < 0) {
        const char *why = errno == EPERM ? "must belong to this user and have mode 0700" : strerror(errno);
        return fail(error, "CONFIG_INVALID", "MACHINEN_RUN_DIR: %.200s: %s", path, why);
    }
    close(fd);
    return true;
}

void run_dir_remove(const char *path) {
    int fd = open_own(path);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(fd, entry->d_name, 0);
        }
    }
    closedir(directory);
    rmdir(path);
}
