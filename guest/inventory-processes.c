#include "inventory.h"

#include "parked-stub.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_COMMAND = 4096, KERNEL_THREAD = 0x200000 };

static ssize_t read_file(pid_t pid, const char *name, char *text, size_t size) {
    char file[64];
    snprintf(file, sizeof file, "/proc/%d/%s", (int)pid, name);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    if (length >= 0)
        text[length] = '\0';
    return length;
}

static uid_t owner_of(pid_t pid) {
    char directory[32];
    struct stat info;
    snprintf(directory, sizeof directory, "/proc/%d", (int)pid);
    return stat(directory, &info) == 0 ? info.st_uid : 0;
}

/* Which process is to be the next command is nobody's doing. */
static bool is_spare(const char *name, const char *command, ssize_t length) {
    static const char arguments[] = PARKED_ARGUMENTS;
    return strcmp(name, PARKED_NAME) == 0 || (length > 0 && strcmp(command, PARKED_NAME) == 0) ||
           (length >= (ssize_t)sizeof arguments && memcmp(command, arguments, sizeof arguments - 1) == 0);
}

/* A process that is gone meanwhile was not there. */
static void print_process(pid_t pid) {
    char text[1024], command[LONGEST_COMMAND];
    int parent, session;
    unsigned flags;
    unsigned long long start;
    char state;
    if (read_file(pid, "stat", text, sizeof text) <= 0)
        return;
    /* The name may hold anything, also parentheses. */
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    if (name == NULL || end == NULL ||
        sscanf(end + 1, " %c %d %*d %d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
               &parent, &session, &flags, &start) != 5 ||
        (flags & KERNEL_THREAD) != 0)
        return;
    *end = '\0';
    ssize_t length = read_file(pid, "cmdline", command, sizeof command);
    if (parent == 1 && is_spare(name + 1, command, length))
        return;
    for (ssize_t i = 0; i + 1 < length; i++)
        if (command[i] == '\0')
            command[i] = ' ';
    if (length < 0)
        command[0] = '\0';
    printf("%d %d %d %llu %u %c%c%s%c%s%c", (int)pid, parent, session, start, owner_of(pid), state, 0, name + 1, 0, command, 0);
}

int inventory_processes(void) {
    DIR *entries = opendir("/proc");
    if (entries == NULL) {
        perror("/proc");
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        if (pid > 0 && pid != getpid())
            print_process(pid);
    }
    closedir(entries);
    return 0;
}
