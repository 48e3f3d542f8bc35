/* What a file is beside its content: mode, owner, times, attributes, type; and how files are listed and run. */
#include "promise.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

void masks_and_modes(void) {
    mode_t before = umask(027);
    OK(close(OK(open("f", O_WRONLY | O_CREAT, 0666))));
    OK(mkdir("d", 0777));
    OK(mkfifo("p", 0666));
    umask(before);
    IS((of("f").st_mode & 07777) == 0640);
    IS((of("d").st_mode & 07777) == 0750);
    IS((of("p").st_mode & 07777) == 0640);
    OK(chmod("f", 0400));
    IS((of("f").st_mode & 07777) == 0400);
    OK(chmod("d", 01777));
    IS((of("d").st_mode & 07777) == 01777);
    int fd = OK(open("f", O_RDONLY));
    OK(fchmod(fd, 0600));
    close(fd);
    IS((of("f").st_mode & 07777) == 0600);
    FAILS(chmod("none", 0600), ENOENT);
    int read_only_mode = OK(open("readonly", O_RDWR | O_CREAT, 0444));
    IS(write(read_only_mode, "x", 1) == 1);
    close(read_only_mode);
}

void times(void) {
    put("f", "x");
    struct timespec set[2] = {{1000000000, 123456789}, {1200000000, 987654321}};
    OK(utimensat(AT_FDCWD, "f", set, 0));
    struct stat info = of("f");
    IS(info.st_atim.tv_sec == 1000000000 && info.st_atim.tv_nsec == 123456789);
    IS(info.st_mtim.tv_sec == 1200000000 && info.st_mtim.tv_nsec == 987654321);
    struct timespec one[2] = {{0, UTIME_OMIT}, {5, 0}};
    OK(utimensat(AT_FDCWD, "f", one, 0));
    IS(of("f").st_atim.tv_sec == 1000000000 && of("f").st_mtim.tv_sec == 5);
    OK(utimensat(AT_FDCWD, "f", NULL, 0));
    IS(of("f").st_mtim.tv_sec > 1600000000);
    OK(symlink("f", "l"));
    OK(utimensat(AT_FDCWD, "l", set, AT_SYMLINK_NOFOLLOW));
    IS(of("l").st_mtim.tv_sec == 1200000000 && of("f").st_mtim.tv_sec != 1200000000);
    struct timespec before = of("f").st_ctim;
    usleep(20000);
    OK(chmod("f", 0600));
    IS(of("f").st_ctim.tv_sec > before.tv_sec || of("f").st_ctim.tv_nsec != before.tv_nsec);
    OK(mkdir("d", 0755));
    OK(utimensat(AT_FDCWD, "d", set, 0));
    put("d/x", "");
    IS(of("d").st_mtim.tv_sec != 1200000000);
}

void attributes(void) {
    char value[256];
    put("f", "x");
    OK(setxattr("f", "user.one", "1", 1, 0));
    OK(setxattr("f", "user.two", "22", 2, XATTR_CREATE));
    FAILS(setxattr("f", "user.two", "3", 1, XATTR_CREATE), EEXIST);
    FAILS(setxattr("f", "user.none", "3", 1, XATTR_REPLACE), ENODATA);
    IS(getxattr("f", "user.two", value, sizeof value) == 2 && memcmp(value, "22", 2) == 0);
    IS(getxattr("f", "user.two", NULL, 0) == 2);
    FAILS(getxattr("f", "user.two", value, 1), ERANGE);
    FAILS(getxattr("f", "user.none", value, sizeof value), ENODATA);
    IS(listxattr("f", value, sizeof value) == 18);
    OK(removexattr("f", "user.one"));
    IS(listxattr("f", NULL, 0) == 9);
    FAILS(removexattr("f", "user.one"), ENODATA);
    OK(setxattr("f", "user.empty", "", 0, 0));
    IS(getxattr("f", "user.empty", value, sizeof value) == 0);
    OK(mkdir("d", 0755));
    OK(setxattr("d", "user.dir", "d", 1, 0));
    IS(getxattr("d", "user.dir", value, sizeof value) == 1);
}

void special_files(void) {
    OK(mkfifo("pipe", 0644));
    IS(S_ISFIFO(of("pipe").st_mode));
    int end = OK(open("pipe", O_RDWR | O_NONBLOCK));
    char byte = 0;
    IS(write(end, "x", 1) == 1 && read(end, &byte, 1) == 1 && byte == 'x');
    close(end);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    OK(bind(server, (struct sockaddr *)&address, sizeof address));
    OK(listen(server, 1));
    IS(S_ISSOCK(of("socket").st_mode));
    OK(connect(client, (struct sockaddr *)&address, sizeof address));
    close(client);
    close(server);
    OK(mknod("regular", S_IFREG | 0644, 0));
    IS(S_ISREG(of("regular").st_mode));
}

static unsigned count_entries(const char *path, unsigned *twice) {
    static unsigned char seen[20000];
    unsigned count = 0;
    DIR *directory = opendir(path);
    memset(seen, 0, sizeof seen);
    for (struct dirent *entry; directory && (entry = readdir(directory)); count++)
        if (entry->d_name[0] == 'e' && seen[atoi(entry->d_name + 1) % 20000]++)
            (*twice)++;
    if (directory)
        closedir(directory);
    return count;
}

void listing(void) {
    unsigned twice = 0;
    OK(mkdir("many", 0755));
    for (int i = 0; i < 400; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/e%d", i);
        OK(close(OK(open(name, O_WRONLY | O_CREAT, 0644))));
    }
    IS(count_entries("many", &twice) == 402 && twice == 0);
    DIR *directory = opendir("many");
    long middle = 0;
    for (int i = 0; i < 300; i++) {
        readdir(directory);
        middle = i == 249 ? telldir(directory) : middle;
    }
    char expected[300];
    seekdir(directory, middle);
    strcpy(expected, readdir(directory)->d_name);
    for (int i = 0; i < 10; i++)
        readdir(directory);
    seekdir(directory, middle);
    IS(strcmp(expected, readdir(directory)->d_name) == 0);
    closedir(directory);
    for (int i = 0; i < 400; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/e%d", i);
        OK(unlink(name));
    }
    OK(rmdir("many"));
}

void owners(void) {
    put("f", "x");
    IS(of("f").st_uid == geteuid() && of("f").st_gid == getegid());
    OK(chown("f", geteuid(), getegid()));
    OK(chown("f", -1, -1));
    OK(mkdir("d", 0755));
    IS(of("d").st_uid == geteuid());
}

void programs(void) {
    put("script", "#!/bin/sh\nexit 7\n");
    OK(chmod("script", 0755));
    pid_t child = fork();
    if (child == 0) {
        execl("./script", "script", NULL);
        _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    IS(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
