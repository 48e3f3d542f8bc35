#include "console.h"

#include "children.h"
#include "control.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];

void console_use(const char *device) {
    snprintf(path, sizeof path, "%s", device);
}

const char *console_path(void) {
    char names[256] = "";
    FILE *file = fopen("/sys/class/tty/console/active", "re");
    if (path[0] != '\0' || file == NULL) {
        if (file != NULL)
            fclose(file);
        return path[0] != '\0' ? path : "/dev/console";
    }
    if (fgets(names, sizeof names, file) != NULL) {
        names[strcspn(names, "\n")] = '\0';
        /* The last one named is /dev/console. */
        const char *last = strrchr(names, ' ');
        snprintf(path, sizeof path, "/dev/%.50s", last == NULL ? names : last + 1);
    }
    fclose(file);
    return path[0] != '\0' ? path : "/dev/console";
}

void console_say(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    dprintf(fd < 0 ? STDERR_FILENO : fd, "machinen: %s\r\n", text);
    if (fd >= 0)
        close(fd);
}

static void ended(struct child *child, int code) {
    (void)child;
    console_say("the command ended with %d", code);
    power_off_wanted = true;
}

bool console_run(char *const *arguments) {
    static struct child child = {.ended = ended};
    int fd = open(console_path(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    child.pid = spawn(&(struct spawn){
        .arguments = arguments, .in = fd, .out = fd, .err = fd, .terminal = true});
    int error = errno;
    close(fd);
    errno = error;
    if (child.pid < 0)
        return false;
    children_add(&child);
    return true;
}
