/* What is in a file, however it gets there and whoever else is at it. */
#include "promise.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

void truncating(void) {
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

void temporary_files(void) {
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

void holes(void) {
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

void copying(void) {
    put("from", "0123456789");
    int from = OK(open("from", O_RDONLY)), to = OK(open("to", O_RDWR | O_CREAT, 0644));
    off_t read_at = 2, write_at = 1;
    IS(copy_file_range(from, &read_at, to, &write_at, 5, 0) == 5 && read_at == 7 && write_at == 6);
    char text[8] = "";
    IS(pread(to, text, 6, 0) == 6 && memcmp(text, "\0" "23456", 6) == 0);
    close(from);
    close(to);
}

void mapping(void) {
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

void appending(void) {
    int one = OK(open("f", O_WRONLY | O_CREAT | O_APPEND, 0644)), two = OK(open("f", O_WRONLY | O_APPEND));
    for (int i = 0; i < 50; i++)
        IS(write(i % 2 ? one : two, "0123456789", 10) == 10);
    IS(of("f").st_size == 500);
    close(one);
    close(two);
}

void writers(void) {
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

void locks(void) {
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

void syncing(void) {
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
