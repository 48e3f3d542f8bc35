/*
 * What POSIX and Linux promise of a file system, case by case, in the manner of pjdfstest: `cases <directory>` runs
 * them all in the directory and prints each promise that is broken. The exit code is their number.
 */
#include "promise.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int broken;
static const char *current;

void complain(int line, const char *what, long got, int error) {
    printf("%s:%d: %s (got %ld, %s)\n", current, line, what, got, error ? strerror(error) : "no error");
    broken++;
}

void put(const char *name, const char *text) {
    int fd = OK(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    IS(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    OK(close(fd));
}

const char *get(const char *name) {
    static char text[4096];
    int fd = open(name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        close(fd);
    return n < 0 ? "(unreadable)" : text;
}

struct stat of(const char *name) {
    struct stat info = {0};
    OK(lstat(name, &info));
    return info;
}

bool is(const char *name, const char *text) {
    return strcmp(get(name), text) == 0;
}

char *long_name(size_t length) {
    static char name[4200];
    memset(name, 'n', length);
    name[length] = '\0';
    return name;
}

#define ENTRY(name) {#name, name},
static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {CASES(ENTRY)};

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++) {
        current = cases[i].name;
        if (chdir(argv[1]) != 0 || mkdir(current, 0755) != 0 || chdir(current) != 0) {
            perror(current);
            return 99;
        }
        cases[i].run();
    }
    printf("%zu cases, %d broken\n", sizeof cases / sizeof *cases, broken);
    return broken > 98 ? 98 : broken;
}
