#include "bundle.h"
#include "bundle-description.h"
#include "bundle-files.h"
#include "fault.h"
#include "files.h"
#include "lazy.h"
#include "lease.h"
#include "loop.h"
#include "memory.h"
#include "qcow2.h"
#include "sha256.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BLOCK 65536u

/*
 * Copies `from` to `to` (-1: only looks), holes kept, and makes its checksum: SHA-256 over each 64 KiB block
 * that is not all zeros, preceded by its number (u64, big-endian), so that it does not depend on where a
 * file system has holes.
 */
static bool copy_and_sum(int from, int to, uint64_t size, char hex[65]) {
    static const uint8_t zeros[BLOCK];
    static uint8_t block[BLOCK];
    struct sha256 hash;
    off_t data;
    sha256_start(&hash);
    for (uint64_t at = 0; at < size; at += BLOCK) {
        if ((data = lseek(from, (off_t)at, SEEK_DATA)) < 0 && errno == ENXIO) {
            break;
        }
        if (data < 0 || loop_interrupted()) {
            errno = data < 0 ? errno : EINTR;
            return false;
        }
        at = (uint64_t)data / BLOCK * BLOCK;
        size_t length = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
        if (!read_at(from, block, length, (off_t)at)) {
            return false;
        }
        if (memcmp(block, zeros, length) == 0) {
            continue;
        }
        uint64_t number = htobe64(at / BLOCK);
        sha256_add(&hash, &number, sizeof number);
        sha256_add(&hash, block, length);
        if (to >= 0 && !write_at(to, block, length, (off_t)at)) {
            return false;
        }
    }
    sha256_end(&hash, hex);
    return true;
}

/* `layers`: of a disk that is written as one file. */
static bool fill_file(int from, const struct captured_disk *layers, int to, const char *name, struct stat *info,
                      char hex[65], struct error *error) {
    if (layers && !qcow2_join(layers->fds, layers->layers, layers->size, to, error)) {
        return false;
    }
    bool ok = fstat(layers ? to : from, info) == 0 && ftruncate(to, info->st_size) == 0 &&
              copy_and_sum(layers ? to : from, layers ? -1 : to, (uint64_t)info->st_size, hex) && fsync(to) == 0;
    return ok || bad_file(error, name);
}

static bool write_file(int directory, const char *name, int from, const struct captured_disk *layers, char *json,
                       size_t room, struct error *error) {
    struct stat info;
    char hex[65];
    int to = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = to >= 0 ? fill_file(from, layers, to, name, &info, hex, error) : bad_file(error, name);
    if (!ok) {
        if (to >= 0) {
            unlinkat(directory, name, 0);
        }
    } else {
        snprintf(json, room, "{\"name\":\"%s\",\"size\":%llu,\"sha256\":\"%s\"}", name, (unsigned long long)info.st_size, hex);
    }
    close_fd(&to);
    return ok;
}

static bool check_room(int directory, const struct captured *captured, struct error *error) {
    int fds[MAX_CAPTURED_FDS];
    size_t count = captured_fds(captured, fds);
    struct statvfs room;
    struct stat info;
    uint64_t needed = 1 << 20;
    for (size_t i = 0; i < count; i++) {
        needed += fstat(fds[i], &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
    }
    if (fstatvfs(directory, &room) != 0 || needed <= (uint64_t)room.f_bavail * room.f_frsize) {
        return true;
    }
    return fail(error, "NO_SPACE", "the bundle needs up to %llu MiB, the disk has %llu",
                (unsigned long long)needed >> 20, (unsigned long long)room.f_bavail * room.f_frsize >> 20);
}

static bool write_all_files(int directory, const struct captured *captured, const struct captured_disk *upper,
                            size_t *written, struct error *error) {
    int fds[MAX_CAPTURED_FDS];
    size_t count = captured_fds(captured, fds), room = MAX_DESCRIPTION;
    char *text = malloc(room), name[BUNDLE_NAME], members[4096];
    bool ok = text || fail(error, "NO_MEMORY", "out of memory");
    int used = ok ? snprintf(text, room, "{%s,\"files\":[", captured_json(captured, members, sizeof members)) : 0;
    for (; ok && *written < count; *written += ok) {
        char file[160];
        if (*written == 1) {
            fault(SAVE_MEMORY);
        }
        bundle_file_name(captured, *written, name);
        bool joined = upper && fds[*written] == upper->fds[0];
        ok = write_file(directory, name, fds[*written], joined ? upper : NULL, file, sizeof file, error);
        used += ok ? snprintf(text + used, room - (size_t)used, "%s%s", *written ? "," : "", file) : 0;
    }
    if (ok) {
        fault(SAVE_FILES);
        snprintf(text + used, room - (size_t)used, "]");
        ok = description_write(directory, text, error);
    }
    free(text);
    return ok;
}

bool bundle_write(const char *path, const struct captured *captured, struct error *error) {
    struct captured files;
    const struct captured_disk *upper = bundle_files(captured, &files);
    size_t written = 0;
    char name[BUNDLE_NAME];
    bool made = mkdir(path, 0700) == 0;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return bad_file(error, path);
    }
    bool ok = check_room(directory, captured, error) && write_all_files(directory, &files, upper, &written, error);
    while (!ok && written > 0) {
        bundle_file_name(&files, --written, name);
        unlinkat(directory, name, 0);
    }
    close_fd(&directory);
    if (!ok && made) {
        rmdir(path);
    }
    return ok;
}

/* How far the files are trusted. CHECK_MACHINE: all but the disks, which have a cache of their own. */
enum trust { CHECK_ALL, CHECK_MACHINE, CHECK_SIZES };
/* How a file is used: itself, a sealed copy of it, or itself as long as nobody can change it. */
enum use { AS_IT_IS, COPIED, LEASED };

static int room_for_copy(const char *name, const struct stat *info, struct error *error) {
    int fd = host_has((uint64_t)info->st_blocks * 512, error) ? memfd_new("machinen-bundle", (uint64_t)info->st_size) : -2;
    if (fd == -1) {
        bad_file(error, name);
    }
    return fd;
}

/* Before its checksum is made: what was checked is what will be mapped. */
static bool take_lease(int fd) {
    if (lease_take(fd)) {
        return true;
    }
    lazy_refused(errno == EAGAIN ? "something has the bundle's memory open for writing"
                 : errno == EACCES ? "the bundle belongs to another user" : "its file system does not tell who changes a file");
    return false;
}

/* Opens and checks one file; what is trusted is used as it is. A lease that cannot be had is a copy instead. */
static int read_file(int directory, const char *name, const char *place, struct json entry, enum trust trust, enum use use,
                     struct error *error) {
    struct json value;
    struct stat info;
    char wanted[65], hex[65], listed[BUNDLE_NAME];
    uint64_t size;
    if (!json_member(entry, "name", &value) || !json_string(value, listed, sizeof listed) || strcmp(listed, name) != 0 ||
        !json_member(entry, "size", &value) || !json_u64(value, &size) || !json_member(entry, "sha256", &value) ||
        !json_string(value, wanted, sizeof wanted)) {
        fail(error, "BUNDLE_CORRUPT", "vmm.json: does not describe %s", name);
        return -1;
    }
    int fd = openat(directory, place, O_RDONLY | O_CLOEXEC | O_NONBLOCK), to = -1;
    if (fd < 0 || fstat(fd, &info) != 0) {
        bad_file(error, name);
    } else if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size != size) {
        fail(error, "BUNDLE_CORRUPT", "%s: has %lld bytes, should have %llu", name, (long long)info.st_size, (unsigned long long)size);
    } else if (trust == CHECK_SIZES) {
        return fd;
    } else if (use != AS_IT_IS && !(use == LEASED && take_lease(fd)) && (to = room_for_copy(name, &info, error)) < 0) {
        /* It says why. */
    } else if (!copy_and_sum(fd, to, size, hex) || (to >= 0 && !seal(to))) {
        bad_file(error, name);
    } else if (strcmp(hex, wanted) != 0) {
        fail(error, "BUNDLE_CORRUPT", "%s: its checksum is wrong", name);
    } else {
        if (to < 0) {
            return fd;
        }
        close_fd(&fd);
        return to;
    }
    close_fd(&fd);
    close_fd(&to);
    return -1;
}

static bool read_all_files(int directory, const char *const places[DISK_USES], struct json object, enum trust trust,
                           enum use memory, struct captured *captured, struct error *error) {
    int fds[MAX_CAPTURED_FDS];
    size_t count = captured_count(captured), done = 0;
    struct json files, entry;
    char name[BUNDLE_NAME];
    bool ok = json_member(object, "files", &files) || fail(error, "BUNDLE_CORRUPT", "vmm.json: lists no files");
    for (; ok && done < count; done += ok) {
        bundle_file_name(captured, done, name);
        ok = json_element(files, done, &entry) || fail(error, "BUNDLE_CORRUPT", "vmm.json: does not list %s", name);
        if (ok) {
            enum trust of_file = trust == CHECK_MACHINE ? (done < 2 ? CHECK_ALL : CHECK_SIZES) : trust;
            fds[done] = read_file(directory, name, bundle_place(captured, places, name), entry, of_file,
                                  done == 0 ? memory : done == 1 ? COPIED : AS_IT_IS, error);
            ok = fds[done] >= 0;
        }
    }
    for (size_t i = 0; !ok && i < done; i++) {
        close_fd(&fds[i]);
    }
    return ok && captured_adopt(captured, true, fds, count);
}

/* Someone else may have made the bundle: a layer must not lead QEMU to other files of this host. */
static bool layers_are_self_contained(const struct captured *captured, struct error *error) {
    for (size_t i = 0; i < captured->disk_count; i++) {
        for (size_t layer = 1; layer < captured->disks[i].layers; layer++) {
            if (!qcow2_is_self_contained(captured->disks[i].fds[layer])) {
                return fail(error, "BUNDLE_CORRUPT", "disk %zu: layer %zu is no overlay of ours", i, layer);
            }
        }
    }
    return true;
}

static bool read_bundle(const char *path, const char *const places[DISK_USES], enum trust trust, enum use memory,
                        struct captured *captured, struct error *error) {
    struct json object;
    struct stat info;
    captured_init(captured);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *text = malloc(MAX_DESCRIPTION);
    bool ok = directory >= 0 && text ? description_read(directory, text, &object, error) : bad_file(error, path);
    ok = ok && captured_parse(object, captured, error) && read_all_files(directory, places, object, trust, memory, captured, error);
    if (ok && (fstat(captured->memory_fd, &info) != 0 || (uint64_t)info.st_size != (uint64_t)captured->memory_mib << 20)) {
        captured_close(captured);
        ok = fail(error, "BUNDLE_CORRUPT", "memory.img: is not as large as vmm.json says");
    }
    if (ok && !layers_are_self_contained(captured, error)) {
        captured_close(captured);
        ok = false;
    }
    free(text);
    close_fd(&directory);
    return ok;
}

bool bundle_read(const char *path, const char *const places[DISK_USES], bool lazy, struct captured *captured, struct error *error) {
    return read_bundle(path, places, CHECK_ALL, lazy ? LEASED : COPIED, captured, error);
}

bool template_read(const char *path, bool verify, struct captured *captured, struct error *error) {
    return read_bundle(path, NULL, verify ? CHECK_MACHINE : CHECK_SIZES, AS_IT_IS, captured, error);
}
