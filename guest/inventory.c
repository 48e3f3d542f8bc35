#include "inventory.h"

#include <stdio.h>
#include <string.h>

int inventory_main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(void);
    } kinds[] = {{"files", inventory_files}, {"processes", inventory_processes}, {"digests", inventory_digests}};
    static char output[1 << 16];
    setvbuf(stdout, output, _IOFBF, sizeof output);
    for (size_t i = 0; argc == 1 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[0], kinds[i].name) != 0)
            continue;
        int status = kinds[i].run();
        return fflush(stdout) == 0 && !ferror(stdout) ? status : 1;
    }
    fputs("usage: inventory files|processes|digests\n", stderr);
    return 2;
}
