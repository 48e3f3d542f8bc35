#include "shell-file.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SEGMENTS = 64 };

static bool is_same(const struct stat *old, const struct stat *new) {
    return old->st_dev == new->st_dev && old->st_ino == new->st_ino && old->st_size == new->st_size &&
           old->st_mtim.tv_sec == new->st_mtim.tv_sec && old->st_mtim.tv_nsec == new->st_mtim.tv_nsec;
}

/* False when the file is nothing we know; a program without a loader leaves `path` empty. */
static bool read_loader(int fd, char *path, size_t room) {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    if (pread(fd, &header, sizeof header, 0) != sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof segment || header.e_phnum > MOST_SEGMENTS)
        return false;
    path[0] = '\0';
    for (unsigned i = 0; i < header.e_phnum; i++) {
        if (pread(fd, &segment, sizeof segment, (off_t)(header.e_phoff + i * sizeof segment)) != sizeof segment)
            return false;
        if (segment.p_type != PT_INTERP)
            continue;
        size_t length = segment.p_filesz;
        return length > 0 && length <= room && pread(fd, path, length, (off_t)segment.p_offset) == (ssize_t)length &&
               path[length - 1] == '\0';
    }
    return true;
}

bool shell_file_look(struct shell_file *file) {
    int fd = open(SHELL, O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && fstat(fd, &file->shell) == 0 && read_loader(fd, file->loader_path, sizeof file->loader_path);
    if (fd >= 0)
        close(fd);
    return known && (file->loader_path[0] == '\0' || stat(file->loader_path, &file->loader) == 0);
}

bool shell_file_is_of(const struct shell_file *file, pid_t pid) {
    char path[40];
    struct stat program;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return stat(path, &program) == 0 && is_same(&file->shell, &program);
}

bool shell_file_is_same(const struct shell_file *file) {
    struct stat now;
    return stat(SHELL, &now) == 0 && is_same(&file->shell, &now) &&
           (file->loader_path[0] == '\0' || (stat(file->loader_path, &now) == 0 && is_same(&file->loader, &now)));
}
