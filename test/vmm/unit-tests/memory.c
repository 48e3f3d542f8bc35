/* Copies of memory: all of it, and what one process has written over its base. */
#include "tests.h"
#include "copy.h"
#include "files.h"
#include "pages.h"
#include "vm.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 4096 };

/* A process that has this memory mapped as QEMU does, and has written `first` to some of its pages. */
static pid_t mapper(int fd, uint8_t first, int ready) {
    pid_t pid = fork();
    if (pid == 0) {
        uint8_t *map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        for (int page = 0; first && page < PAGES; page++) {
            if (page % 7 == 3 || (page > 1000 && page < 1700)) {
                memset(map + page * PAGE, first + page % 50, PAGE);
            }
        }
        volatile uint8_t read = map[5 * PAGE];
        (void)read;
        CHECK(write(ready, "", 1) == 1);
        pause();
    }
    return pid;
}

/* What one process has written over a sealed base is found, copied and put into another, and nothing else is. */
void test_delta(void) {
    struct memory memory = {.fd = memfd_new("machinen-ram", PAGES * PAGE), .size = PAGES * PAGE};
    struct runs runs = {0}, plain = {0};
    struct copy copy;
    struct error error;
    struct stat info;
    char byte;
    int ready[2];
    CHECK(memory.fd >= 0 && write_at(memory.fd, "base", 4, 5 * (off_t)PAGE) && pipe(ready) == 0);
    pid_t parent = mapper(memory.fd, 1, ready[1]), child = mapper(memory.fd, 0, ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1 && read(ready[0], &byte, 1) == 1 && seal(memory.fd));
    CHECK(pages_scan(&memory, child, PAGES_OWN, &runs) && runs.count == 0);
    CHECK(pages_scan(&memory, parent, PAGES_OWN, &runs) && pages_scan_plain(&memory, parent, PAGES_OWN, &plain));
    CHECK(runs.count == plain.count && runs.bytes == plain.bytes && memcmp(runs.list, plain.list, runs.count * sizeof *runs.list) == 0);
    uint64_t bytes = runs.bytes;
    CHECK(runs.count > 400 && bytes > 699 * PAGE);
    CHECK(copy_begin(&copy, COPY_DELTA, &memory, parent, &error) && copy_take(&copy, &error));
    int delta = copy_end(&copy, true, &error);
    CHECK(delta >= 0 && is_sealed(delta, 0) && delta_inject(delta, &memory, child, &error));
    CHECK(pages_scan(&memory, child, PAGES_OWN, &runs) && runs.bytes == bytes && runs.count == plain.count);
    uint8_t *one = malloc(bytes), *two = malloc(bytes);
    CHECK(pages_read(&memory, parent, runs.list, runs.count, one) && pages_read(&memory, child, runs.list, runs.count, two));
    CHECK(memcmp(one, two, bytes) == 0 && one[0] == 1 + 3);
    /* Damage to what the header says is refused and writes nothing that is not in the memory. */
    CHECK(fstat(delta, &info) == 0);
    for (int round = 0; round < 200; round++) {
        int damaged = memfd_new("damaged", (uint64_t)info.st_size);
        uint64_t word = random_number() % 3 ? random_number() : PAGES * PAGE - random_number() % 3 * PAGE;
        CHECK(copy_data(delta, damaged, (uint64_t)info.st_size, &error));
        CHECK(write_at(damaged, &word, sizeof word, (off_t)(random_number() % 400 * 8)) && seal(damaged));
        CHECK(delta_inject(damaged, &memory, child, &error) || strcmp(error.code, "STATE_INVALID") == 0);
        close(damaged);
    }
    int open_delta = memfd_new("unsealed", (uint64_t)info.st_size);
    CHECK(copy_data(delta, open_delta, (uint64_t)info.st_size, &error) && !delta_inject(open_delta, &memory, child, &error));
    kill(parent, SIGKILL);
    kill(child, SIGKILL);
    CHECK(waitpid(parent, NULL, 0) == parent && waitpid(child, NULL, 0) == child);
    CHECK(!copy_begin(&copy, COPY_DELTA, &memory, parent, &error));
    runs_free(&runs);
    runs_free(&plain);
    free(one);
    free(two);
}

/* Pages, a hole and a tail: the copy reads the same, and holds nothing but what is not zero. */
void test_copy(void) {
    enum { PAGES = 700, TAIL = 100, SIZE = PAGES * 4096 + TAIL };
    static uint8_t before[SIZE], after[SIZE];
    struct error error;
    struct stat info;
    int from = memfd_new("from", SIZE), to = memfd_new("to", SIZE);
    unsigned held = 1;
    for (unsigned page = 0; page < PAGES; page++) {
        bool data = random_number() % 3 == 0, written = data || random_number() % 2;
        if (data) {
            before[page * 4096 + random_number() % 4096] = 1;
        }
        held += data;
        CHECK(!written || write_at(from, before + page * 4096, 4096, page * 4096));
    }
    before[SIZE - 1] = 1;
    CHECK(write_at(from, before + PAGES * 4096, TAIL, PAGES * 4096));
    CHECK(copy_data(from, to, SIZE, &error) && read_at(to, after, SIZE, 0) && memcmp(before, after, SIZE) == 0);
    CHECK(fstat(to, &info) == 0 && info.st_blocks == held * 8);
    close_fd(&from);
    close_fd(&to);
}
