#include "modules.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
        console_say("module %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void modules_load(void) {
    char line[512];
    FILE *list = fopen("/lib/machinen/modules.list", "re");
    while (list != NULL && fgets(line, sizeof line, list) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '/')
            load(line);
    }
    if (list != NULL)
        fclose(list);
}
