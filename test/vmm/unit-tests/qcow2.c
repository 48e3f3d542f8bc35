/* Overlays of disks. */
#include "tests.h"
#include "qcow2.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void test_qcow2(const char *path, const char *size) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && !qcow2_write_empty(fd, 0) && !qcow2_write_empty(fd, QCOW2_MAX_BYTES + 1));
    CHECK(qcow2_write_empty(fd, strtoull(size, NULL, 10)));
    close(fd);
}

/* The header's fields that make QEMU open other files, or read something else than it says. */
void test_self_contained(const char *path) {
    static const struct { off_t at; unsigned char value; } lies[] = {
        {0, 0}, {7, 2}, {19, 1}, {35, 1}, {79, 1}, {79, 4},
    };
    static const unsigned char place = 200;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK(fd >= 0 && !qcow2_is_self_contained(fd) && qcow2_write_empty(fd, 1 << 20) && qcow2_is_self_contained(fd));
        /* Where a name would be, when it is empty: so QEMU writes it when it has joined layers. */
        CHECK(pwrite(fd, &place, 1, 15) == 1 && qcow2_is_self_contained(fd));
        CHECK(pwrite(fd, &lies[i].value, 1, lies[i].at) == 1 && !qcow2_is_self_contained(fd));
        close(fd);
    }
}

/* Joins `layers` into the last file. */
void test_join(char **layers, int count, uint64_t size) {
    int fds[8];
    struct error error;
    for (int i = 0; i < count; i++) {
        fds[i] = open(layers[i], i < count - 1 ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK(fds[i] >= 0);
    }
    CHECK(qcow2_join(fds, (size_t)count - 1, size, fds[count - 1], &error));
}

/* Whatever the overlay says, reading it ends, and nothing is written beyond the guest's size. */
void test_join_fuzz(const char *base, const char *overlay, uint64_t size) {
    struct stat info;
    struct error error;
    int from = open(overlay, O_RDONLY), raw = open(base, O_RDONLY);
    CHECK(from >= 0 && raw >= 0 && fstat(from, &info) == 0);
    char *bytes = malloc((size_t)info.st_size);
    CHECK(bytes && read(from, bytes, (size_t)info.st_size) == info.st_size);
    for (int round = 0; round < 100; round++) {
        int damaged = memfd_create("damaged", 0), to = memfd_create("to", 0);
        CHECK(write(damaged, bytes, (size_t)info.st_size) == info.st_size);
        for (int hit = 0; hit < 8; hit++) {
            char byte = (char)random_number();
            /* Half of them in the header, half in the tables. */
            off_t at = hit % 2 ? random_number() % 112 : random_number() % info.st_size & ~7;
            CHECK(pwrite(damaged, &byte, 1, at) == 1);
        }
        int layers[] = {raw, damaged};
        qcow2_join(layers, 2, size, to, &error);
        struct stat result;
        CHECK(fstat(to, &result) == 0 && result.st_size == (off_t)size);
        close(damaged);
        close(to);
    }
    free(bytes);
}
