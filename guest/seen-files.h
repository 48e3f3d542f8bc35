/* Files that a program was made from, or that it read or missed when it started: whether they are still what they were. */
#ifndef MACHINEN_SEEN_FILES_H
#define MACHINEN_SEEN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SHELL "/bin/sh"

enum { MOST_SEEN_FILES = 8, LONGEST_SEEN_PATH = 256 };

struct seen_files {
    size_t count;
    struct seen_file {
        char path[LONGEST_SEEN_PATH];
        bool exists;
        struct stat info;
    } files[MOST_SEEN_FILES];
};

/* Begins with the shell and what loads it. False when the shell is no 64-bit ELF program. */
bool seen_files_of_shell(struct seen_files *seen);
/* Adds one. False when there is no room, or when it exists and what is read in it may change without a trace. */
bool seen_files_add(struct seen_files *seen, const char *path);
/* The process runs the shell itself, not something that interprets it. */
bool seen_files_shell_is_of(const struct seen_files *seen, pid_t pid);
bool seen_files_are_same(const struct seen_files *seen);

#endif
