#include "root-archive.h"

#include "../archive/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

/* Of the root, not of its content: whoever makes the image again makes these again. */
static const char *left_out[] = {"./lost+found", "./machinen-config.json"};

/* A mount of its own, without what is mounted below: files that a mount covers are seen too. */
static int open_root(const char *root) {
    int fd = (int)syscall(SYS_open_tree, AT_FDCWD, root, OPEN_TREE_CLONE | O_CLOEXEC);
    return fd >= 0 ? fd : open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int archive_root(const char *root) {
    char path[40];
    int fd = open_root(root);
    if (fd < 0) {
        perror(root);
        return 1;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct excludes excludes = {left_out, sizeof left_out / sizeof *left_out};
    int status = pack(STDOUT_FILENO, &(struct pack){.path = path, .excludes = excludes, .devices = true,
                                                    .all_attributes = true, .one_file_system = true, .sorted = true});
    close(fd);
    return status;
}
