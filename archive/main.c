/* machinen-archive: the host's end of a transfer of files. The runtime starts it and joins its standard input or
 * output to the guest. */
#include "pack.h"
#include "unpack.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void) {
    fputs("usage: machinen-archive pack [--name NAME] [--devices] [--exclude PATTERN]... PATH\n"
          "       machinen-archive unpack [--owner] [--exclude PATTERN]... DIRECTORY\n"
          "Writes a tar archive to standard output, or makes its files. 0: all of them, 1: all but some, 2: it stopped.\n",
          stderr);
    return 64;
}

int main(int argc, char **argv) {
    const char **patterns = calloc((size_t)argc + 1, sizeof *patterns);
    struct pack out = {.path = NULL};
    struct unpack in = {.directory = NULL};
    int at = 2;
    if (patterns == NULL || argc < 3)
        return usage();
    struct excludes excludes = {patterns, 0};
    for (; at < argc - 1; at++) {
        if (strcmp(argv[at], "--exclude") == 0 && at + 1 < argc - 1)
            patterns[excludes.count++] = argv[++at];
        else if (strcmp(argv[at], "--name") == 0 && at + 1 < argc - 1)
            out.name = argv[++at];
        else if (strcmp(argv[at], "--owner") == 0)
            in.owner = true;
        else if (strcmp(argv[at], "--devices") == 0)
            out.devices = true;
        else
            return usage();
    }
    /* Nobody reading is an answer like any other. */
    signal(SIGPIPE, SIG_IGN);
    /* Meant for who started us; the end of our input lets us leave things tidy. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    out.path = in.directory = argv[argc - 1];
    out.excludes = in.excludes = excludes;
    int status = strcmp(argv[1], "pack") == 0     ? pack(STDOUT_FILENO, &out)
                 : strcmp(argv[1], "unpack") == 0 ? unpack(STDIN_FILENO, &in)
                                                  : usage();
    free(patterns);
    return status;
}
