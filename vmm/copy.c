#include "copy.h"
#include "files.h"
#include "lease.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (1u << 20)
/* Beyond what is private now: what the guest may write until it is stopped. */
#define SPARE_BYTES (1u << 20)

static bool bad_copy(struct error *error) {
    const char *code = no_space_left() ? "NO_SPACE" : errno == EINTR ? "INTERRUPTED" : "COPY_FAILED";
    return fail(error, code, "copying the guest's memory: %s", strerror(errno));
}

static uint64_t header_bytes(uint64_t runs) {
    return (8 + 16 * runs + PAGE - 1) & ~(PAGE - 1);
}

/* Room for the delta as it is now is allocated while the guest still runs; it may turn out larger. */
static bool make_room(struct copy *copy, struct error *error) {
    if (!pages_scan(copy->memory, copy->qemu, PAGES_OWN, &copy->runs)) {
        return bad_copy(error);
    }
    if (!host_has(copy->runs.bytes, error)) {
        return false;
    }
    uint64_t now = header_bytes(copy->runs.count) + copy->runs.bytes + copy->runs.bytes / 8 + SPARE_BYTES;
    copy->room_bytes = header_bytes(copy->memory->size / PAGE) + copy->memory->size;
    copy->fd = memfd_new("machinen-delta", copy->room_bytes);
    void *room = copy->fd < 0 ? MAP_FAILED
                              : mmap(NULL, copy->room_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, copy->fd, 0);
    if (room == MAP_FAILED) {
        return bad_copy(error);
    }
    copy->room = room;
    if (now < copy->room_bytes) {
        madvise(room, (now + PAGE - 1) & ~(PAGE - 1), MADV_POPULATE_WRITE);
    }
    return true;
}

/* Pages for what is private now: half the work of copying them, done before the guest is stopped. */
static bool reserve(struct copy *copy, struct error *error) {
    bool ok = pages_scan(copy->memory, copy->qemu, PAGES_OWN, &copy->runs);
    for (size_t i = 0; ok && i < copy->runs.count; i++) {
        const struct run *run = &copy->runs.list[i];
        ok = !loop_interrupted() && fallocate(copy->fd, 0, (off_t)run->offset, (off_t)run->length) == 0;
    }
    return ok || bad_copy(error);
}

/* What is in the base cannot change any more: it is copied while the guest runs. */
static bool copy_base(struct copy *copy, struct error *error) {
    if (!host_has(memory_touched(copy->memory, copy->qemu), error)) {
        return false;
    }
    copy->fd = memfd_new("machinen-ram", copy->memory->size);
    if (copy->fd < 0) {
        return bad_copy(error);
    }
    return copy->memory->shared ||
           (copy_data(copy->memory->fd, copy->fd, copy->memory->size, error) && reserve(copy, error));
}

bool copy_begin(struct copy *copy, enum copy_kind kind, const struct memory *memory, pid_t qemu, struct error *error) {
    *copy = (struct copy){.kind = kind, .memory = memory, .qemu = qemu, .fd = -1};
    bool ok = kind == COPY_WHOLE ? copy_base(copy, error) : make_room(copy, error);
    if (!ok) {
        copy_end(copy, false, error);
    }
    return ok;
}

static bool take_delta(struct copy *copy) {
    struct runs *runs = &copy->runs;
    uint64_t count, header;
    if (!pages_scan(copy->memory, copy->qemu, PAGES_OWN, runs)) {
        return false;
    }
    count = runs->count;
    header = header_bytes(count);
    memcpy(copy->room, &count, 8);
    memcpy(copy->room + 8, runs->list, count * sizeof *runs->list);
    copy->length = header + runs->bytes;
    return pages_read(copy->memory, copy->qemu, runs->list, runs->count, copy->room + header);
}

static bool take_private(struct copy *copy) {
    char *buffer = malloc(BUFFER_BYTES);
    bool ok = buffer && pages_scan(copy->memory, copy->qemu, PAGES_OWN, &copy->runs);
    for (size_t i = 0; ok && i < copy->runs.count; i++) {
        struct run rest = copy->runs.list[i];
        while (ok && rest.length > 0) {
            struct run piece = {rest.offset, rest.length < BUFFER_BYTES ? rest.length : BUFFER_BYTES};
            ok = pages_read(copy->memory, copy->qemu, &piece, 1, buffer) &&
                 write_at(copy->fd, buffer, piece.length, (off_t)piece.offset);
            rest.offset += piece.length;
            rest.length -= piece.length;
        }
    }
    free(buffer);
    return ok;
}

bool copy_take(struct copy *copy, struct error *error) {
    if (copy->memory->shared) {
        return copy_data(copy->memory->fd, copy->fd, copy->memory->size, error);
    }
    if (copy->memory->leased && !lease_kept(copy->memory->fd)) {
        return fail(error, "COPY_FAILED", "the bundle's memory.img has been changed");
    }
    return (copy->kind == COPY_DELTA ? take_delta(copy) : take_private(copy)) || bad_copy(error);
}

int copy_end(struct copy *copy, bool ok, struct error *error) {
    if (copy->room) {
        munmap(copy->room, copy->room_bytes);
        ok = ok && (ftruncate(copy->fd, (off_t)copy->length) == 0 || bad_copy(error));
    }
    runs_free(&copy->runs);
    if (!ok || !(seal(copy->fd) || bad_copy(error))) {
        close_fd(&copy->fd);
    }
    return copy->fd;
}

/* Only memory that nobody shares can be given back to the host, page by page. */
bool copy_own(int from, uint64_t size, struct memory *own, struct error *error) {
    struct stat held;
    *own = (struct memory){.fd = memfd_new("machinen-ram", size), .shared = true, .size = size};
    if (own->fd < 0 || fstat(from, &held) != 0) {
        return fail(error, "NO_SPACE", "guest memory: %s", strerror(errno));
    }
    return host_has((uint64_t)held.st_blocks * 512, error) && copy_data(from, own->fd, size, error);
}

/* Every run lies in the guest's RAM, behind the one before it, and the pages of all of them are there. */
static bool is_sound(const uint64_t *words, uint64_t bytes, uint64_t memory_size) {
    uint64_t count = words[0], end = 0, total = 0;
    if (count > memory_size / PAGE || header_bytes(count) > bytes) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset = words[1 + 2 * i], length = words[2 + 2 * i];
        if (offset % PAGE || length % PAGE || length == 0 || offset < end || offset >= memory_size ||
            length > memory_size - offset) {
            return false;
        }
        end = offset + length;
        total += length;
    }
    return header_bytes(count) + total == bytes;
}

bool delta_inject(int delta, const struct memory *memory, pid_t qemu, struct error *error) {
    struct stat info;
    if (!is_sealed(delta, 0) || fstat(delta, &info) != 0 || info.st_size < (off_t)PAGE) {
        return fail(error, "STATE_INVALID", "the source machine's memory is not what it should be");
    }
    uint64_t bytes = (uint64_t)info.st_size;
    const uint8_t *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, delta, 0);
    if (map == MAP_FAILED) {
        return bad_copy(error);
    }
    const uint64_t *words = (const uint64_t *)(const void *)map;
    bool ok = is_sound(words, bytes, memory->size);
    if (!ok) {
        fail(error, "STATE_INVALID", "the source machine's memory is not what it should be");
    } else {
        ok = pages_write(memory, qemu, (const struct run *)(const void *)(words + 1), (size_t)words[0],
                         map + header_bytes(words[0])) || bad_copy(error);
    }
    munmap((void *)(uintptr_t)map, bytes);
    return ok;
}
