#include "files.h"

#include "../archive/pack.h"
#include "../archive/unpack.h"
#include "exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_EXCLUDES = 4096, LONGEST_NUMBER = 8 };

/* Each request runs in a child of ours: a full disk, an endless tree or a fault of the reader ends the transfer only. */
static void run_in_child(struct client *client, int (*function)(void *), void *context, bool has_input) {
    exec_start(client, &(struct exec_options){.function = function, .context = context, .cwd = "/", .has_input = has_input});
}

/* What `ps` in the guest shows. */
static void take_name(void) {
    prctl(PR_SET_NAME, "machinen-files");
}

static int unpack_input(void *options) {
    take_name();
    return unpack(STDIN_FILENO, options);
}

static int pack_output(void *options) {
    take_name();
    return pack(STDOUT_FILENO, options);
}

/* PUSH <owner> <length>: the directory. */
static void run_push(struct client *client, const unsigned *numbers, char *text) {
    bool owner = numbers[0] == 1;
    struct unpack options = {.directory = text, .owner = owner, .set_ids = owner, .devices = owner, .through_links = true};
    run_in_child(client, unpack_input, &options, true);
}

/* `<length> <pattern>` after each other. The text is cut into the patterns. */
static bool cut_patterns(char *text, size_t length, const char **patterns, size_t *count) {
    char *end = text + length;
    for (*count = 0; text < end; (*count)++) {
        char *after;
        unsigned long size = strtoul(text, &after, 10);
        if (*count == MOST_EXCLUDES || after == text || *after != ' ' || size >= (size_t)(end - after) ||
            after - text > LONGEST_NUMBER)
            return false;
        /* Moved over its own number, so that there is room for the NUL. */
        memmove(text, after + 1, size);
        text[size] = '\0';
        patterns[*count] = text;
        text = after + 1 + size;
    }
    return true;
}

/* PULL <length> <length> <length>: the path, the name of the top member or nothing, the excludes. */
static void run_pull(struct client *client, const unsigned *numbers, char *text) {
    char *path = strndup(text, numbers[0]), *name = strndup(text + numbers[0], numbers[1]);
    const char **patterns = calloc(MOST_EXCLUDES, sizeof *patterns);
    size_t count;
    if (path == NULL || name == NULL || patterns == NULL)
        client_refuse(client, "OUT_OF_RESOURCES", "out of memory");
    else if (!cut_patterns(text + numbers[0] + numbers[1], numbers[2], patterns, &count))
        client_refuse(client, "BAD_REQUEST", "malformed excludes");
    else {
        struct pack options = {.path = path, .name = name[0] == '\0' ? NULL : name, .excludes = {patterns, count}};
        run_in_child(client, pack_output, &options, false);
    }
    free(patterns);
    free(name);
    free(path);
}

static const char *kind_of(const struct stat *stat) {
    return S_ISDIR(stat->st_mode) ? "directory" : S_ISREG(stat->st_mode) ? "file" : S_ISLNK(stat->st_mode) ? "link" : "other";
}

static int print_kinds(void *context) {
    const char *path = context;
    struct stat own, meant;
    printf("%s %s\n", lstat(path, &own) == 0 ? kind_of(&own) : "missing",
           stat(path, &meant) == 0 ? kind_of(&meant) : "missing");
    return fflush(stdout) == 0 ? 0 : 1;
}

/* STAT <length>: what the path is, itself and when links are followed. */
static void run_stat(struct client *client, const unsigned *numbers, char *text) {
    (void)numbers;
    run_in_child(client, print_kinds, text, false);
}

const struct verb file_verbs[] = {
    {"PUSH", 2, 1, run_push}, {"PULL", 3, 3, run_pull}, {"STAT", 1, 1, run_stat}, {.name = NULL}};
