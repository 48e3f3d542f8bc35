/*
 * `locks hold <file> <file> <sign>`: takes a flock() of the first file and a lock of the second by fcntl(), says so,
 * and gives both back once a file `sign` is there; `<sign>.done` says when.
 * `locks try <file> <file>`: whether somebody else has them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int lock_part(int fd, short type) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    return fcntl(fd, F_SETLK, &lock);
}

static const char *outcome(int result) {
    return result == 0 ? "free" : errno == EAGAIN || errno == EACCES ? "held" : strerror(errno);
}

int main(int argc, char **argv) {
    int whole = argc > 3 ? open(argv[2], O_RDWR | O_CREAT, 0644) : -1;
    int part = argc > 3 ? open(argv[3], O_RDWR | O_CREAT, 0644) : -1;
    if (whole < 0 || part < 0)
        return 2;
    if (argc == 4 && strcmp(argv[1], "try") == 0) {
        printf("flock %s, ", outcome(flock(whole, LOCK_EX | LOCK_NB)));
        printf("fcntl %s\n", outcome(lock_part(part, F_WRLCK)));
        return 0;
    }
    char done[256];
    if (argc != 5 || flock(whole, LOCK_EX | LOCK_NB) != 0 || lock_part(part, F_WRLCK) != 0 || puts("held") < 0 ||
        fflush(stdout) != 0)
        return 1;
    while (access(argv[4], F_OK) != 0)
        usleep(20000);
    snprintf(done, sizeof done, "%s.done", argv[4]);
    if (flock(whole, LOCK_UN) != 0 || lock_part(part, F_UNLCK) != 0 || creat(done, 0644) < 0)
        return 1;
    /* What its end would give back, too, must have been given back before. */
    for (;;)
        pause();
}
