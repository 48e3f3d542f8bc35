/*
 * Random operations on one file, each checked against a copy in memory, in the manner of fsx:
 * `exercise <file> <seed> <operations>`. Exit code 0, or 1 with what went wrong.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (600u * 1024)

static unsigned char model[MOST], buffer[MOST];
static size_t size;
static int fd;
static const char *path;
static unsigned number;

static void fail(const char *what) {
    perror(what);
    printf("operation %u: %s\n", number, what);
    exit(1);
}

static size_t up_to(size_t most) {
    return most ? (size_t)(((unsigned long)random() << 16 ^ (unsigned long)random()) % (most + 1)) : 0;
}

static void grow_to(size_t end) {
    size = end > size ? end : size;
}

static void check_size(void) {
    struct stat info;
    if (fstat(fd, &info) != 0 || (size_t)info.st_size != size)
        fail("the size is wrong");
}

static void compare(size_t at, size_t length, const char *what) {
    for (size_t i = 0; i < length; i++)
        if (buffer[i] != model[at + i]) {
            printf("operation %u: byte %zu is %02x, should be %02x\n", number, at + i, buffer[i], model[at + i]);
            fail(what);
        }
}

static void do_write(size_t at, size_t length) {
    for (size_t i = 0; i < length; i++)
        model[at + i] = buffer[i] = (unsigned char)random();
    if (pwrite(fd, buffer, length, (off_t)at) != (ssize_t)length)
        fail("write");
    if (length > 0)
        grow_to(at + length);
}

static void do_read(size_t at, size_t length) {
    size_t there = at >= size ? 0 : size - at < length ? size - at : length;
    if (pread(fd, buffer, length, (off_t)at) != (ssize_t)there)
        fail("read");
    compare(at, there, "read other bytes");
}

static void do_truncate(size_t to) {
    if (ftruncate(fd, (off_t)to) != 0)
        fail("truncate");
    if (to < size)
        memset(model + to, 0, size - to);
    size = to;
}

static void do_map(size_t at, size_t length, int writes) {
    size_t start = at & ~4095ul;
    if (at >= size)
        return;
    length = size - at < length ? size - at : length;
    if (length == 0)
        return;
    unsigned char *map = mmap(NULL, at - start + length, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, (off_t)start);
    if (map == MAP_FAILED)
        fail("mmap");
    if (writes) {
        for (size_t i = 0; i < length; i++)
            map[at - start + i] = model[at + i] = (unsigned char)random();
    } else {
        memcpy(buffer, map + (at - start), length);
        compare(at, length, "mapped other bytes");
    }
    if (munmap(map, at - start + length) != 0)
        fail("munmap");
}

static void do_punch(size_t at, size_t length) {
    if (length == 0)
        return;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)length) != 0)
        fail("punch");
    memset(model + at, 0, length);
}

static void do_reopen(void) {
    if (close(fd) != 0 || (fd = open(path, O_RDWR)) < 0)
        fail("reopen");
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    path = argv[1];
    srandom((unsigned)atoi(argv[2]));
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        fail("open");
    for (number = 0; number < (unsigned)atoi(argv[3]); number++) {
        size_t at = up_to(MOST - 1), length = up_to(random() % 4 ? 9000 : 200000);
        length = MOST - at < length ? MOST - at : length;
        switch (random() % 8) {
        case 0: case 1: do_write(at, length); break;
        case 2: case 3: do_read(at, length); break;
        case 4: do_map(at, length, 1); break;
        case 5: do_map(at, length, 0); break;
        case 6: random() % 3 ? do_punch(at, length) : do_truncate(at); break;
        default: random() % 2 ? do_reopen() : (void)fsync(fd); break;
        }
        check_size();
    }
    do_read(0, size);
    return 0;
}
