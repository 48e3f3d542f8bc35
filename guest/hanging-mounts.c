#include "hanging-mounts.h"

#include "loop.h"
#include "mount-disks.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_TABLE = 65536 };

static bool may_hang = true;

/* Served by the kernel alone. Not overlay: it may lie over anything, but for our own. */
static const char *const local_types[] = {"rootfs", "ramfs",   "tmpfs",   "ext4",    "proc",       "sysfs",
                                          "devpts", "devtmpfs", "cgroup2", "mqueue", "hugetlbfs",  "debugfs",
                                          "bpf",    "tracefs", "pstore",  "configfs", "securityfs", "squashfs"};

static const char ours[] = " - overlay " MOUNT_DISKS_SOURCE " ";

static bool is_local(const char *type, size_t length) {
    for (size_t i = 0; i < sizeof local_types / sizeof *local_types; i++)
        if (strlen(local_types[i]) == length && memcmp(local_types[i], type, length) == 0)
            return true;
    return false;
}

static bool table_may_hang(char *text) {
    for (char *line; (line = strsep(&text, "\n")) != NULL && line[0] != '\0';) {
        const char *type = strstr(line, " - ");
        if (type == NULL || (!is_local(type + 3, strcspn(type + 3, " ")) && strncmp(type, ours, sizeof ours - 1) != 0))
            return true;
    }
    return false;
}

static bool read_table(int fd) {
    static char text[LARGEST_TABLE];
    size_t length = 0;
    ssize_t count = lseek(fd, 0, SEEK_SET);
    while (count >= 0 && length < sizeof text - 1 && (count = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)count;
    text[length] = '\0';
    return count != 0 || table_may_hang(text);
}

static void changed(struct watch *watch, uint32_t events) {
    (void)events;
    may_hang = read_table(watch->fd);
}

static struct watch watch = {.fd = -1, .ready = changed};

void hanging_mounts_look(void) {
    if (watch.fd >= 0)
        changed(&watch, 0);
    else
        may_hang = true;
}

void hanging_mounts_watch(void) {
    watch.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (watch.fd >= 0 && loop_add(&watch, EPOLLPRI | EPOLLET))
        may_hang = read_table(watch.fd);
}

bool mounts_may_hang(void) {
    return may_hang;
}
