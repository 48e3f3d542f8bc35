/* Whether /bin/sh, and what loads it, are still what they were. */
#ifndef MACHINEN_SHELL_FILE_H
#define MACHINEN_SHELL_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SHELL "/bin/sh"

struct shell_file {
    struct stat shell, loader;
    char loader_path[PATH_MAX]; /* empty: it loads itself */
};

/* False when it is no 64-bit ELF program. */
bool shell_file_look(struct shell_file *file);
/* The process runs the program itself, not something that interprets it. */
bool shell_file_is_of(const struct shell_file *file, pid_t pid);
bool shell_file_is_same(const struct shell_file *file);

#endif
