#include "pages.h"
#include "files.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define PRESENT_OR_SWAPPED (3ull << 62)
#define FILE_PAGE (1ull << 61)
#define ENTRIES 8192u
#define REGIONS 512u
/* At most what the kernel takes at once (IOV_MAX). */
#define PIECES 1024u

/* From <linux/fs.h> of Linux 6.7; Debian 12 has older headers. */
struct scan_region {
    uint64_t start, end, categories;
};
struct scan {
    uint64_t size, flags, start, end, walk_end, regions, region_count, max_pages;
    uint64_t inverted, all_of, any_of, reported;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan)
enum { SCAN_FILE = 1 << 2, SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4 };

static int open_proc(pid_t pid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* QEMU maps all of it in one piece, but the kernel may list that in several. 0 when it is not mapped whole. */
static uint64_t find_mapping(const struct memory *memory, pid_t qemu) {
    struct stat info;
    char *line = NULL;
    size_t room = 0;
    uint64_t address = 0, next = 0;
    int fd = open_proc(qemu, "maps");
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    bool ok = maps && fstat(memory->fd, &info) == 0;
    while (ok && next < memory->size && getline(&line, &room, maps) > 0) {
        unsigned long long start, end, offset, inode;
        unsigned major, minor;
        if (sscanf(line, "%llx-%llx %*s %llx %x:%x %llu", &start, &end, &offset, &major, &minor, &inode) == 6 &&
            inode == info.st_ino && makedev(major, minor) == info.st_dev) {
            address = offset == 0 ? start : address;
            next = offset == 0 || start == address + next ? start - address + (end - start) : next;
        }
    }
    free(line);
    if (maps) {
        fclose(maps);
    }
    if (next != memory->size) {
        errno = ENXIO;
        return 0;
    }
    return address;
}

/* It stays where it is for QEMU's whole life. */
static struct {
    pid_t qemu;
    int fd;
    uint64_t address;
} known;

void pages_lie_at(const struct memory *memory, pid_t qemu, uint64_t address) {
    known.qemu = qemu;
    known.fd = memory->fd;
    known.address = address;
}

uint64_t pages_address(const struct memory *memory, pid_t qemu) {
    if (known.qemu != qemu || known.fd != memory->fd || !known.address) {
        pages_lie_at(memory, qemu, find_mapping(memory, qemu));
    }
    return known.address;
}

static bool add_run(struct runs *runs, uint64_t offset, uint64_t length) {
    struct run *last = runs->count ? &runs->list[runs->count - 1] : NULL;
    runs->bytes += length;
    if (last && last->offset + last->length == offset) {
        last->length += length;
        return true;
    }
    if (runs->count == runs->room) {
        size_t room = runs->room ? 2 * runs->room : 1024;
        struct run *grown = realloc(runs->list, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        runs->list = grown;
        runs->room = room;
    }
    runs->list[runs->count++] = (struct run){offset, length};
    return true;
}

void runs_free(struct runs *runs) {
    free(runs->list);
    *runs = (struct runs){0};
}

static bool is_wanted(uint64_t entry, enum page_kind kind) {
    return (entry & PRESENT_OR_SWAPPED) && (kind == PAGES_MAPPED || !(entry & FILE_PAGE));
}

static bool scan_entries(int pagemap, enum page_kind kind, uint64_t address, uint64_t size, struct runs *runs) {
    static uint64_t entries[ENTRIES];
    for (uint64_t at = 0; at < size;) {
        uint64_t count = (size - at) / PAGE < ENTRIES ? (size - at) / PAGE : ENTRIES;
        if (loop_interrupted() || !read_at(pagemap, entries, count * sizeof *entries, (off_t)((address + at) / PAGE * 8))) {
            return false;
        }
        for (uint64_t i = 0; i < count; i++) {
            if (is_wanted(entries[i], kind) && !add_run(runs, at + i * PAGE, PAGE)) {
                return false;
            }
        }
        at += count * PAGE;
    }
    return true;
}

/* Skips what has no page table at all, so its cost is that of the touched memory, not of the guest's size. */
static bool scan_regions(int pagemap, enum page_kind kind, uint64_t address, uint64_t size, struct runs *runs) {
    static struct scan_region regions[REGIONS];
    const uint64_t file = kind == PAGES_OWN ? SCAN_FILE : 0;
    struct scan scan = {.size = sizeof scan, .start = address, .end = address + size,
                        .regions = (uint64_t)(uintptr_t)regions, .region_count = REGIONS,
                        .inverted = file, .all_of = file, .any_of = SCAN_PRESENT | SCAN_SWAPPED, .reported = SCAN_FILE};
    while (scan.start < scan.end) {
        int count = loop_interrupted() ? -1 : ioctl(pagemap, SCAN_IOCTL, &scan);
        if (count < 0) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (!add_run(runs, regions[i].start - address, regions[i].end - regions[i].start)) {
                return false;
            }
        }
        scan.start = scan.walk_end;
    }
    return true;
}

typedef bool (*scan_fn)(int pagemap, enum page_kind kind, uint64_t address, uint64_t size, struct runs *runs);

static bool scan_with(scan_fn scan, enum page_kind kind, const struct memory *memory, pid_t qemu, struct runs *runs) {
    uint64_t address = pages_address(memory, qemu);
    int pagemap = address ? open_proc(qemu, "pagemap") : -1;
    runs->count = 0;
    runs->bytes = 0;
    bool ok = pagemap >= 0 && scan(pagemap, kind, address, memory->size, runs);
    close_fd(&pagemap);
    return ok;
}

bool pages_scan_plain(const struct memory *memory, pid_t qemu, enum page_kind kind, struct runs *runs) {
    return scan_with(scan_entries, kind, memory, qemu, runs);
}

bool pages_scan(const struct memory *memory, pid_t qemu, enum page_kind kind, struct runs *runs) {
    return scan_with(scan_regions, kind, memory, qemu, runs) || (!loop_interrupted() && pages_scan_plain(memory, qemu, kind, runs));
}

/* Each call moves many runs between many places there and one here; a partial one is taken up where it ended. */
static bool move(const struct memory *memory, pid_t qemu, const struct run *runs, size_t count, void *here,
                 ssize_t (*vm_move)(pid_t, const struct iovec *, unsigned long, const struct iovec *, unsigned long, unsigned long)) {
    struct iovec there[PIECES];
    uint64_t address = pages_address(memory, qemu), skipped = 0;
    char *at = here;
    if (!address) {
        return false;
    }
    for (size_t next = 0; next < count;) {
        size_t pieces = 0, bytes = 0;
        uint64_t skip = skipped;
        for (size_t i = next; i < count && pieces < PIECES && bytes < 1 << 30; i++, skip = 0) {
            there[pieces++] = (struct iovec){(void *)(uintptr_t)(address + runs[i].offset + skip), runs[i].length - skip};
            bytes += runs[i].length - skip;
        }
        ssize_t n = loop_interrupted() ? -1 : vm_move(qemu, &(struct iovec){at, bytes}, 1, there, pieces, 0);
        if (n <= 0) {
            errno = n == 0 ? EFAULT : loop_interrupted() ? EINTR : errno;
            return false;
        }
        at += n;
        for (skipped += (uint64_t)n; next < count && skipped >= runs[next].length; next++) {
            skipped -= runs[next].length;
        }
    }
    return true;
}

bool pages_read(const struct memory *memory, pid_t qemu, const struct run *runs, size_t count, void *to) {
    return move(memory, qemu, runs, count, to, process_vm_readv);
}

bool pages_write(const struct memory *memory, pid_t qemu, const struct run *runs, size_t count, const void *from) {
    return move(memory, qemu, runs, count, (void *)(uintptr_t)from, process_vm_writev);
}
