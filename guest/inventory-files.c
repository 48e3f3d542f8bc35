#include "inventory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Deeper directories are named and not entered: each level holds a descriptor. */
enum { MOST_LEVELS = 512 };

static char path[PATH_MAX];

/* What the kernel makes up, and what belongs to the host. */
static bool holds_no_files(int fd) {
    static const unsigned long types[] = {
        0x9fa0 /* proc */,       0x62656572 /* sysfs */,    0x1cd1 /* devpts */,  0x63677270 /* cgroup2 */,
        0x27e0eb /* cgroup */,   0x64626720 /* debugfs */,  0x74726163 /* tracefs */, 0x73636673 /* securityfs */,
        0xcafe4a11 /* bpf */,    0x19800202 /* mqueue */,   0x6165676c /* pstore */,  0x65735546 /* fuse */,
    };
    struct statfs info;
    if (fstatfs(fd, &info) != 0)
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if ((unsigned long)info.f_type == types[i])
            return true;
    return false;
}

static bool is_ours(void) {
    return strcmp(path, "/dev") == 0 || strcmp(path, "/run/machinen") == 0;
}

static char letter_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 'f';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFCHR:
        return 'c';
    case S_IFBLK:
        return 'b';
    case S_IFIFO:
        return 'p';
    default:
        return 's';
    }
}

static long long nanoseconds(const struct timespec *time) {
    return (long long)time->tv_sec * 1000000000 + time->tv_nsec;
}

static void print_entry(int directory, const char *name, const struct stat *info) {
    char target[PATH_MAX] = "";
    if (S_ISLNK(info->st_mode)) {
        ssize_t length = readlinkat(directory, name, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
    }
    printf("%c %o %u %u %lld %lld %lld %llu %llu", letter_of(info->st_mode), info->st_mode & 07777,
           info->st_uid, info->st_gid, (long long)info->st_size, nanoseconds(&info->st_mtim),
           nanoseconds(&info->st_ctim), (unsigned long long)info->st_ino, (unsigned long long)info->st_rdev);
    printf("%c%s%c%s%c", 0, path, 0, target, 0);
}

static void print_skipped(int error) {
    printf("! %d%c%s%c%c", error, 0, path, 0, 0);
}

static void walk(int directory, size_t length, dev_t device, unsigned level);

static void enter(int directory, const char *name, size_t length, const struct stat *info, dev_t device, unsigned level) {
    int fd = level == MOST_LEVELS ? -1 : openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        print_skipped(level == MOST_LEVELS ? ELOOP : errno);
        return;
    }
    if (info->st_dev != device && holds_no_files(fd))
        close(fd);
    else
        walk(fd, length, info->st_dev, level + 1);
}

static void visit(int directory, const char *name, size_t length, dev_t device, unsigned level) {
    struct stat info;
    size_t more = strlen(name);
    if (length + 1 + more >= sizeof path) {
        print_skipped(ENAMETOOLONG);
        return;
    }
    path[length] = '/';
    memcpy(path + length + 1, name, more + 1);
    if (!is_ours()) {
        if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            /* What is gone meanwhile was not there. */
            if (errno != ENOENT)
                print_skipped(errno);
        } else {
            print_entry(directory, name, &info);
            if (S_ISDIR(info.st_mode))
                enter(directory, name, length + 1 + more, &info, device, level);
        }
    }
    path[length] = '\0';
}

/* Closes `directory`. */
static void walk(int directory, size_t length, dev_t device, unsigned level) {
    DIR *entries = fdopendir(directory);
    if (entries == NULL) {
        print_skipped(errno);
        close(directory);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            visit(directory, entry->d_name, length, device, level);
    closedir(entries);
}

int inventory_files(void) {
    struct stat info;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || fstat(root, &info) != 0) {
        perror("/");
        return 1;
    }
    walk(root, 0, info.st_dev, 0);
    return 0;
}
