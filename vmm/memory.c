#include "memory.h"
#include "files.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PAGE 4096ull
#define PIECE_PAGES 256u
#define PRESENT_OR_SWAPPED (3ull << 62)
#define FILE_PAGE (1ull << 61)

typedef bool (*run_fn)(void *context, uint64_t address, uint64_t offset, uint64_t length);

static int open_proc(pid_t pid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Runs of private pages of one mapping: pages that are there, but not the file's. */
static bool each_run_of(int pagemap, uint64_t start, uint64_t end, uint64_t offset, run_fn run, void *context) {
    uint64_t entries[PIECE_PAGES];
    for (uint64_t at = start; at < end;) {
        uint64_t count = (end - at) / PAGE < PIECE_PAGES ? (end - at) / PAGE : PIECE_PAGES;
        if (loop_interrupted() || !read_at(pagemap, entries, count * sizeof *entries, (off_t)(at / PAGE * 8))) {
            return false;
        }
        for (uint64_t i = 0; i < count;) {
            uint64_t first = i;
            while (i < count && (entries[i] & PRESENT_OR_SWAPPED) && !(entries[i] & FILE_PAGE)) {
                i++;
            }
            uint64_t address = at + first * PAGE;
            if (i > first && !run(context, address, offset + address - start, (i - first) * PAGE)) {
                return false;
            }
            i += i == first;
        }
        at += count * PAGE;
    }
    return true;
}

/* QEMU may have split its mapping of the memfd into several. False when there is none. */
static bool each_run(const struct memory *memory, pid_t qemu, run_fn run, void *context) {
    struct stat info;
    char *line = NULL;
    size_t room = 0;
    bool ok = fstat(memory->fd, &info) == 0, found = false;
    int maps = open_proc(qemu, "maps"), pagemap = open_proc(qemu, "pagemap");
    FILE *lines = maps < 0 ? NULL : fdopen(maps, "r");
    while (ok && lines && pagemap >= 0 && getline(&line, &room, lines) > 0) {
        unsigned long long start, end, offset, inode;
        unsigned major, minor;
        if (sscanf(line, "%llx-%llx %*s %llx %x:%x %llu", &start, &end, &offset, &major, &minor, &inode) == 6 &&
            inode == info.st_ino && makedev(major, minor) == info.st_dev) {
            found = true;
            ok = offset + (end - start) <= memory->size && each_run_of(pagemap, start, end, offset, run, context);
        }
    }
    free(line);
    if (lines) {
        fclose(lines);
    } else {
        close_fd(&maps);
    }
    close_fd(&pagemap);
    return ok && found;
}

static bool count_run(void *context, uint64_t address, uint64_t offset, uint64_t length) {
    (void)address;
    (void)offset;
    *(uint64_t *)context += length;
    return true;
}

uint64_t memory_touched(const struct memory *memory, pid_t qemu) {
    struct stat info;
    uint64_t bytes = 0;
    if (!memory->shared) {
        each_run(memory, qemu, count_run, &bytes);
    }
    return bytes + (fstat(memory->fd, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0);
}

uint64_t host_available(void) {
    unsigned long long kib = UINT64_MAX >> 10;
    char line[128];
    FILE *info = fopen("/proc/meminfo", "re");
    while (info && fgets(line, sizeof line, info)) {
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1) {
            break;
        }
    }
    if (info) {
        fclose(info);
    }
    return (uint64_t)kib << 10;
}

struct copy {
    int from, to;
    char buffer[PIECE_PAGES * PAGE];
};

static bool copy_run(void *context, uint64_t address, uint64_t offset, uint64_t length) {
    struct copy *copy = context;
    return read_at(copy->from, copy->buffer, length, (off_t)address) &&
           write_at(copy->to, copy->buffer, length, (off_t)offset);
}

static bool copy_private(const struct memory *memory, int to, pid_t qemu, struct error *error) {
    struct copy *copy = malloc(sizeof *copy);
    bool ok = false;
    if (copy) {
        copy->from = open_proc(qemu, "mem");
        copy->to = to;
        ok = copy->from >= 0 && each_run(memory, qemu, copy_run, copy);
        close_fd(&copy->from);
        free(copy);
    }
    return ok || fail(error, errno == ENOSPC || errno == ENOMEM ? "NO_SPACE" : "COPY_FAILED",
                      "copying the guest's private pages: %s", strerror(errno));
}

int memory_copy(const struct memory *memory, pid_t qemu, struct error *error) {
    int to = memfd_new("machinen-ram", memory->size);
    if (to < 0) {
        fail(error, "NO_SPACE", "guest memory: %s", strerror(errno));
        return -1;
    }
    bool ok = copy_data(memory->fd, to, memory->size, error) &&
              (memory->shared || copy_private(memory, to, qemu, error));
    if (ok && !seal(to)) {
        ok = fail(error, "COPY_FAILED", "sealing guest memory: %s", strerror(errno));
    }
    if (!ok) {
        close_fd(&to);
    }
    return to;
}
