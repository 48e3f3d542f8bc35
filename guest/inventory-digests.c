#include "inventory.h"

#include "../vmm/sha256.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Regular files only, and never through a link at the end: opening a pipe or a device may do something. */
static int open_regular(const char *path) {
    struct stat info;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)))
        return fd;
    close(fd);
    return -1;
}

static void print_digest(const char *path) {
    static char bytes[1 << 16];
    struct sha256 hash;
    char hex[65] = "-";
    ssize_t count = -1;
    int fd = open_regular(path);
    if (fd >= 0) {
        sha256_start(&hash);
        while ((count = read(fd, bytes, sizeof bytes)) > 0)
            sha256_add(&hash, bytes, (size_t)count);
        if (count == 0)
            sha256_end(&hash, hex);
        close(fd);
    }
    printf("%s\n", hex);
}

int inventory_digests(void) {
    static char path[PATH_MAX];
    size_t length = 0;
    for (int byte; (byte = getchar()) != EOF;) {
        if (length == sizeof path) {
            fputs("a path is too long\n", stderr);
            return 2;
        }
        path[length++] = (char)byte;
        if (byte != '\0')
            continue;
        print_digest(path);
        length = 0;
    }
    return length == 0 ? 0 : 2;
}
