/*
 * What POSIX and Linux promise of a file system, case by case, in the manner of pjdfstest: `cases <directory>` runs
 * them all in the directory and prints each promise that is broken. The exit code is their number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int broken;
static const char *current;

static void complain(int line, const char *what, long got, int error) {
    printf("%s:%d: %s (got %ld, %s)\n", current, line, what, got, error ? strerror(error) : "no error");
    broken++;
}

#define IS(expression) ((expression) ? (void)0 : complain(__LINE__, #expression, 0, errno))
#define OK(call) ({ errno = 0; long r_ = (long)(call); if (r_ < 0) complain(__LINE__, #call, r_, errno); r_; })
#define FAILS(call, wanted) \
    ({ errno = 0; long r_ = (long)(call); if (r_ >= 0 || errno != (wanted)) complain(__LINE__, #call " should fail with " #wanted, r_, errno); })

static void put(const char *name, const char *text) {
    int fd = OK(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    IS(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    OK(close(fd));
}

static const char *get(const char *name) {
    static char text[4096];
    int fd = open(name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        close(fd);
    return n < 0 ? "(unreadable)" : text;
}

static struct stat of(const char *name) {
    struct stat info = {0};
    OK(lstat(name, &info));
    return info;
}

static bool is(const char *name, const char *text) {
    return strcmp(get(name), text) == 0;
}

static char *long_name(size_t length) {
    static char name[4200];
    memset(name, 'n', length);
    name[length] = '\0';
    return name;
}

static void create_and_open(void) {
    int fd = OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0640));
    IS((of("f").st_mode & 07777) == 0640);
    FAILS(open("f", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    IS(write(fd, "abc", 3) == 3 && of("f").st_size == 3);
    close(fd);
    OK(close(OK(open("f", O_WRONLY | O_TRUNC))));
    IS(of("f").st_size == 0);
    FAILS(open("none", O_RDONLY), ENOENT);
    FAILS(open("f/x", O_RDONLY), ENOTDIR);
    FAILS(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    OK(mkdir("d", 0755));
    FAILS(open("d", O_WRONLY), EISDIR);
    FAILS(open("d", O_RDWR | O_CREAT, 0644), EISDIR);
    FAILS(open("", O_RDONLY), ENOENT);
    OK(symlink("f", "l"));
    FAILS(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    OK(symlink("made", "dangling"));
    OK(close(OK(open("dangling", O_WRONLY | O_CREAT, 0644))));
    IS(S_ISREG(of("made").st_mode));
    FAILS(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
}

static void masks_and_modes(void) {
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

static void names(void) {
    FAILS(open(long_name(256), O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
    OK(close(OK(open(long_name(255), O_WRONLY | O_CREAT, 0644))));
    OK(unlink(long_name(255)));
    FAILS(mkdir(long_name(256), 0755), ENAMETOOLONG);
    FAILS(symlink("x", long_name(256)), ENAMETOOLONG);
    put("a\nb\x01\xff *?", "odd");
    IS(is("a\nb\x01\xff *?", "odd"));
    put("\xc3\xa4\xe2\x82\xac", "unicode");
    IS(is("\xc3\xa4\xe2\x82\xac", "unicode"));
    FAILS(rename("none", "x"), ENOENT);
}

static void directories(void) {
    OK(mkdir("d", 0755));
    FAILS(mkdir("d", 0755), EEXIST);
    FAILS(mkdir("none/d", 0755), ENOENT);
    put("f", "");
    FAILS(mkdir("f/d", 0755), ENOTDIR);
    FAILS(mkdir("f", 0755), EEXIST);
    FAILS(rmdir("f"), ENOTDIR);
    FAILS(rmdir("none"), ENOENT);
    put("d/f", "");
    FAILS(rmdir("d"), ENOTEMPTY);
    FAILS(rmdir("d/."), EINVAL);
    FAILS(unlink("d"), EISDIR);
    IS(of("d").st_nlink == 2);
    OK(mkdir("d/e", 0755));
    IS(of("d").st_nlink == 3);
    OK(unlink("d/f"));
    OK(rmdir("d/e"));
    OK(rmdir("d"));
    FAILS(lstat("d", &(struct stat){0}), ENOENT);
}

static void unlinking(void) {
    put("f", "content");
    int fd = OK(open("f", O_RDWR));
    OK(unlink("f"));
    FAILS(unlink("f"), ENOENT);
    struct stat info;
    OK(fstat(fd, &info));
    IS(info.st_nlink == 0 && info.st_size == 7);
    char text[8] = "";
    IS(pread(fd, text, 7, 0) == 7 && strcmp(text, "content") == 0);
    IS(pwrite(fd, "CON", 3, 0) == 3 && pread(fd, text, 7, 0) == 7 && strcmp(text, "CONtent") == 0);
    OK(ftruncate(fd, 3));
    OK(fchmod(fd, 0600));
    OK(fstat(fd, &info));
    IS(info.st_size == 3 && (info.st_mode & 07777) == 0600);
    put("f", "other");
    IS(pread(fd, text, 7, 0) == 3);
    close(fd);
    IS(is("f", "other"));
    OK(mkdir("d", 0755));
    int directory = OK(open("d", O_RDONLY | O_DIRECTORY));
    OK(rmdir("d"));
    FAILS(openat(directory, "x", O_WRONLY | O_CREAT, 0644), ENOENT);
    close(directory);
}

static void hard_links(void) {
    put("a", "shared");
    OK(link("a", "b"));
    IS(of("a").st_ino == of("b").st_ino && of("a").st_nlink == 2 && of("b").st_nlink == 2);
    int fd = OK(open("a", O_WRONLY));
    IS(pwrite(fd, "SH", 2, 0) == 2);
    close(fd);
    IS(is("b", "SHared"));
    FAILS(link("a", "b"), EEXIST);
    FAILS(link("none", "c"), ENOENT);
    OK(mkdir("d", 0755));
    FAILS(link("d", "c"), EPERM);
    OK(unlink("a"));
    IS(of("b").st_nlink == 1 && is("b", "SHared"));
    OK(rename("b", "d/b"));
    OK(link("d/b", "a"));
    IS(is("a", "SHared"));
    OK(symlink("a", "l"));
    OK(linkat(AT_FDCWD, "l", AT_FDCWD, "l2", 0));
    IS(S_ISLNK(of("l2").st_mode) && of("l").st_nlink == 2);
    OK(rename("a", "d/b"));
    IS(of("a").st_ino == of("d/b").st_ino);
}

static void symbolic_links(void) {
    char text[PATH_MAX];
    OK(symlink("target", "l"));
    IS(readlink("l", text, sizeof text) == 6 && memcmp(text, "target", 6) == 0);
    IS(of("l").st_size == 6 && S_ISLNK(of("l").st_mode));
    FAILS(stat("l", &(struct stat){0}), ENOENT);
    put("target", "found");
    IS(is("l", "found"));
    FAILS(symlink("x", "l"), EEXIST);
    FAILS(readlink("target", text, sizeof text), EINVAL);
    OK(symlink("loop2", "loop1"));
    OK(symlink("loop1", "loop2"));
    FAILS(open("loop1", O_RDONLY), ELOOP);
    FAILS(open("loop1/x", O_RDONLY), ELOOP);
    OK(symlink("/", "root"));
    OK(symlink("../../../../../../../../proc", "up"));
    IS(access("up/self", F_OK) == 0);
    IS(lchown("l", 0, 0) == 0);
    char *target = long_name(4095);
    OK(symlink(target, "long"));
    IS(readlink("long", text, sizeof text) == 4095);
}

static void renaming(void) {
    put("a", "a");
    put("b", "b");
    OK(rename("a", "c"));
    IS(is("c", "a") && access("a", F_OK) != 0);
    OK(rename("c", "b"));
    IS(is("b", "a"));
    OK(mkdir("d", 0755));
    OK(mkdir("e", 0755));
    put("e/f", "");
    FAILS(rename("b", "d"), EISDIR);
    FAILS(rename("d", "b"), ENOTDIR);
    FAILS(rename("d", "e"), ENOTEMPTY);
    FAILS(rename("d", "d/sub"), EINVAL);
    OK(rename("b", "d/b"));
    OK(rename("d", "moved"));
    IS(is("moved/b", "a"));
    OK(rename("moved", "e/moved"));
    IS(is("e/moved/b", "a"));
    int fd = OK(open("e/moved/b", O_RDWR));
    OK(rename("e/moved/b", "free"));
    IS(pwrite(fd, "z", 1, 0) == 1);
    close(fd);
    IS(is("free", "z"));
    put("x", "x");
    put("y", "y");
    int replaced = OK(open("y", O_RDONLY));
    OK(rename("x", "y"));
    char byte;
    IS(read(replaced, &byte, 1) == 1 && byte == 'y');
    close(replaced);
}

static int rename2(const char *from, const char *to, unsigned flags) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void renaming_with_flags(void) {
    put("a", "a");
    put("b", "b");
    FAILS(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
    OK(rename2("a", "c", RENAME_NOREPLACE));
    OK(rename2("b", "c", RENAME_EXCHANGE));
    IS(is("b", "a") && is("c", "b"));
    FAILS(rename2("b", "none", RENAME_EXCHANGE), ENOENT);
    OK(mkdir("d", 0755));
    put("d/inside", "i");
    OK(rename2("d", "b", RENAME_EXCHANGE));
    IS(is("b/inside", "i") && is("d", "a"));
    put("b/later", "l");
    IS(is("b/later", "l"));
}

static void truncating(void) {
    put("f", "0123456789");
    OK(truncate("f", 4));
    IS(is("f", "0123"));
    OK(truncate("f", 8));
    IS(of("f").st_size == 8 && memcmp(get("f"), "0123\0\0\0\0", 8) == 0);
    FAILS(truncate("none", 0), ENOENT);
    FAILS(truncate("f", -1), EINVAL);
    OK(mkdir("d", 0755));
    FAILS(truncate("d", 0), EISDIR);
    OK(truncate("f", 1ll << 33));
    IS(of("f").st_size == 1ll << 33 && of("f").st_blocks < 100);
    OK(truncate("f", 0));
}

static void times(void) {
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

static void attributes(void) {
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

static void special_files(void) {
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

static void temporary_files(void) {
    int fd = OK(open(".", O_RDWR | O_TMPFILE, 0600));
    IS(write(fd, "hidden", 6) == 6);
    struct stat info;
    OK(fstat(fd, &info));
    IS(info.st_nlink == 0 && info.st_size == 6);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    IS(is("named", "hidden") && of("named").st_nlink == 1);
    close(fd);
}

static void holes(void) {
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
    IS(pwrite(fd, "end", 3, 1 << 20) == 3);
    IS(lseek(fd, 0, SEEK_HOLE) == 0);
    IS(lseek(fd, 0, SEEK_DATA) == 1 << 20);
    FAILS(lseek(fd, 2 << 20, SEEK_DATA), ENXIO);
    OK(fallocate(fd, 0, 2 << 20, 4096));
    struct stat info;
    OK(fstat(fd, &info));
    IS(info.st_size == (2 << 20) + 4096);
    OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 3 << 20, 4096));
    OK(fstat(fd, &info));
    IS(info.st_size == (2 << 20) + 4096);
    OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096));
    char text[4] = "xxx";
    IS(pread(fd, text, 3, 1 << 20) == 3 && memcmp(text, "\0\0\0", 3) == 0);
    close(fd);
}

static void copying(void) {
    put("from", "0123456789");
    int from = OK(open("from", O_RDONLY)), to = OK(open("to", O_RDWR | O_CREAT, 0644));
    off_t read_at = 2, write_at = 1;
    IS(copy_file_range(from, &read_at, to, &write_at, 5, 0) == 5 && read_at == 7 && write_at == 6);
    char text[8] = "";
    IS(pread(to, text, 6, 0) == 6 && memcmp(text, "\0" "23456", 6) == 0);
    close(from);
    close(to);
}

static void mapping(void) {
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
    OK(ftruncate(fd, 3 * 4096));
    char *shared = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    IS(shared != MAP_FAILED);
    strcpy(shared + 4096, "through the map");
    char text[16] = "";
    IS(pread(fd, text, 15, 4096) == 15 && strcmp(text, "through the map") == 0);
    IS(pwrite(fd, "BY WRITE", 8, 4096) == 8 && memcmp(shared + 4096, "BY WRITE the", 8) == 0);
    OK(msync(shared, 3 * 4096, MS_SYNC));
    strcpy(shared, "later");
    pid_t child = fork();
    if (child == 0) {
        strcpy(shared + 8192, "child");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    IS(strcmp(shared + 8192, "child") == 0);
    OK(munmap(shared, 3 * 4096));
    close(fd);
    fd = OK(open("f", O_RDONLY));
    IS(pread(fd, text, 5, 0) == 5 && memcmp(text, "later", 5) == 0);
    char *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    IS(private != MAP_FAILED);
    private[0] = 'X';
    IS(pread(fd, text, 5, 0) == 5 && text[0] == 'l');
    munmap(private, 4096);
    close(fd);
}

static void appending(void) {
    int one = OK(open("f", O_WRONLY | O_CREAT | O_APPEND, 0644)), two = OK(open("f", O_WRONLY | O_APPEND));
    for (int i = 0; i < 50; i++)
        IS(write(i % 2 ? one : two, "0123456789", 10) == 10);
    IS(of("f").st_size == 500);
    close(one);
    close(two);
}

static void writers(void) {
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            int fd = open("shared", O_WRONLY | O_CREAT, 0644), ok = fd >= 0;
            for (int k = 0; ok && k < 40; k++)
                ok = pwrite(fd, &"ABCD"[i], 1, 4 * k + i) == 1;
            _exit(ok ? 0 : 1);
        }
    int status, failed = 0;
    while (wait(&status) > 0)
        failed += status != 0;
    IS(failed == 0 && of("shared").st_size == 160);
    const char *text = get("shared");
    for (int k = 0; k < 160; k++)
        IS(text[k] == "ABCD"[k % 4]);
}

static void locks(void) {
    int one = OK(open("f", O_RDWR | O_CREAT, 0644)), two = OK(open("f", O_RDWR));
    OK(flock(one, LOCK_EX | LOCK_NB));
    FAILS(flock(two, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    OK(flock(one, LOCK_UN));
    OK(flock(two, LOCK_SH | LOCK_NB));
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    OK(fcntl(one, F_SETLK, &whole));
    pid_t child = fork();
    if (child == 0) {
        struct flock mine = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open("f", O_RDWR);
        _exit(fcntl(fd, F_SETLK, &mine) == -1 && (errno == EAGAIN || errno == EACCES) ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    IS(status == 0);
    close(one);
    close(two);
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

static void listing(void) {
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

static void syncing(void) {
    struct statvfs info;
    int fd = OK(open("f", O_RDWR | O_CREAT | O_SYNC, 0644));
    IS(write(fd, "x", 1) == 1);
    OK(fsync(fd));
    OK(fdatasync(fd));
    close(fd);
    fd = OK(open(".", O_RDONLY | O_DIRECTORY));
    OK(fsync(fd));
    close(fd);
    OK(statvfs(".", &info));
    IS(info.f_blocks > 0 && info.f_bavail > 0 && info.f_namemax == 255);
}

static void owners(void) {
    put("f", "x");
    IS(of("f").st_uid == geteuid() && of("f").st_gid == getegid());
    OK(chown("f", geteuid(), getegid()));
    OK(chown("f", -1, -1));
    OK(mkdir("d", 0755));
    IS(of("d").st_uid == geteuid());
}

static void programs(void) {
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

#define CASE(name) {#name, name}
static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {CASE(create_and_open), CASE(masks_and_modes), CASE(names), CASE(directories), CASE(unlinking),
             CASE(hard_links), CASE(symbolic_links), CASE(renaming), CASE(renaming_with_flags), CASE(truncating),
             CASE(times), CASE(attributes), CASE(special_files), CASE(temporary_files), CASE(holes), CASE(copying),
             CASE(mapping), CASE(appending), CASE(writers), CASE(locks), CASE(listing), CASE(syncing), CASE(owners),
             CASE(programs)};

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
