#include "root-archive.h"

#include "file-segments.h"
#include "tar-member.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

enum { COPY_BYTES = 65536, OUTPUT_BYTES = 65536 };

/* Of the root, not of its content: whoever makes the image again makes these again. */
static const char *const left_out[] = {"./lost+found", "./machinen-config.json"};

/* The first path of a file with several. */
struct first_link {
    dev_t device;
    ino_t inode;
    char *path;
};

struct walk {
    dev_t device; /* of the root: other file systems are not entered */
    void *links;
    int status;
    bool lost; /* nobody reads any more */
};

/* One file within its directory, which is open. */
struct place {
    int directory;
    const char *name, *path;
};

static void complain(struct walk *walk, const char *path, const char *what) {
    fprintf(stderr, "%s: %s\n", path, what);
    walk->status = 1;
}

static int compare_links(const void *a, const void *b) {
    const struct first_link *first = a, *second = b;
    if (first->device != second->device)
        return first->device < second->device ? -1 : 1;
    return first->inode < second->inode ? -1 : first->inode > second->inode;
}

/* The path under which this file is in the archive already, or NULL: it is noted then. */
static const char *earlier_link(struct walk *walk, const struct stat *info, const char *path) {
    if (info->st_nlink < 2 || S_ISDIR(info->st_mode))
        return NULL;
    struct first_link *link = malloc(sizeof *link);
    if (link == NULL)
        return NULL;
    *link = (struct first_link){info->st_dev, info->st_ino, strdup(path)};
    struct first_link **found = tsearch(link, &walk->links, compare_links);
    if (found == NULL || *found == link)
        return NULL;
    free(link->path);
    free(link);
    return (*found)->path;
}

static bool add_attribute(struct tar_records *records, const char *file, const char *name) {
    char value[65536], key[XATTR_NAME_MAX + sizeof "SCHILY.xattr."];
    ssize_t length = lgetxattr(file, name, value, sizeof value);
    snprintf(key, sizeof key, "SCHILY.xattr.%s", name);
    return length < 0 || tar_record(records, key, value, (size_t)length);
}

/* Links too have attributes, which only calls that take a path can read. */
static bool add_attributes(struct tar_records *records, const struct place *place) {
    char file[64 + NAME_MAX], names[65536];
    snprintf(file, sizeof file, "/proc/self/fd/%d/%s", place->directory, place->name);
    ssize_t length = llistxattr(file, names, sizeof names);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
        if (!add_attribute(records, file, names + at))
            return false;
    return true;
}

static bool write_member(struct walk *walk, const struct place *place, const struct stat *info, char type,
                         const char *target, uint64_t size, struct tar_records *records) {
    struct tar_member member = {.path = place->path, .target = target, .type = type, .info = info, .size = size};
    bool fine = (type == '1' || add_attributes(records, place)) && tar_write_header(stdout, &member, records);
    tar_records_free(records);
    walk->lost = walk->lost || !fine;
    return fine;
}

static bool write_plain(struct walk *walk, const struct place *place, const struct stat *info, char type,
                        const char *target) {
    struct tar_records records = {.bytes = NULL};
    return write_member(walk, place, info, type, target, 0, &records);
}

/* A file that shrinks while it is read is filled up with zeros: its header has gone out already. */
static bool copy_segment(struct walk *walk, int fd, const struct segment *segment, const char *path) {
    static char buffer[COPY_BYTES];
    for (uint64_t done = 0; done < segment->length;) {
        uint64_t left = segment->length - done;
        size_t wanted = left < sizeof buffer ? (size_t)left : sizeof buffer;
        ssize_t count = pread(fd, buffer, wanted, (off_t)(segment->offset + done));
        if (count < 0)
            complain(walk, path, strerror(errno));
        if (count <= 0)
            memset(buffer, 0, (size_t)(count = (ssize_t)wanted));
        if (fwrite(buffer, (size_t)count, 1, stdout) != 1)
            return false;
        done += (uint64_t)count;
    }
    return true;
}

/* GNU's sparse format 1.0: the data begins with a list of segments, in decimal, padded to a block. */
static char *sparse_map(const struct segments *segments, uint64_t size, size_t *length) {
    char *map = NULL;
    FILE *out = open_memstream(&map, length);
    if (out == NULL)
        return NULL;
    fprintf(out, "%zu\n", segments->count + 1);
    for (size_t i = 0; i < segments->count; i++)
        fprintf(out, "%llu\n%llu\n", (unsigned long long)segments->items[i].offset,
                (unsigned long long)segments->items[i].length);
    fprintf(out, "%llu\n0\n", (unsigned long long)size);
    tar_write_padding(out, (uint64_t)ftell(out));
    fclose(out);
    return map;
}

static bool write_content(struct walk *walk, const struct place *place, const struct stat *info, int fd,
                          const struct segments *segments, bool sparse) {
    struct tar_records records = {.bytes = NULL};
    size_t map_length = 0;
    char *map = NULL;
    bool fine = true;
    if (sparse) {
        map = sparse_map(segments, (uint64_t)info->st_size, &map_length);
        fine = map != NULL && tar_record_number(&records, "GNU.sparse.major", 1) &&
               tar_record_number(&records, "GNU.sparse.minor", 0) &&
               tar_record(&records, "GNU.sparse.name", place->path, strlen(place->path)) &&
               tar_record_number(&records, "GNU.sparse.realsize", (uint64_t)info->st_size);
    }
    uint64_t bytes = map_length + segments_bytes(segments);
    fine = fine && write_member(walk, place, info, '0', NULL, bytes, &records) &&
           (map_length == 0 || fwrite(map, map_length, 1, stdout) == 1);
    for (size_t i = 0; fine && i < segments->count; i++)
        fine = copy_segment(walk, fd, &segments->items[i], place->path);
    free(map);
    return fine && tar_write_padding(stdout, bytes);
}

static void archive_file(struct walk *walk, const struct place *place, const struct stat *info) {
    struct segments segments;
    int fd = openat(place->directory, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || !segments_find(fd, (uint64_t)info->st_size, &segments)) {
        if (errno != ENOENT)
            complain(walk, place->path, strerror(errno));
    } else {
        struct segment whole = {0, (uint64_t)info->st_size};
        bool sparse = segments_bytes(&segments) < whole.length;
        struct segments all = {&whole, whole.length > 0};
        if (!write_content(walk, place, info, fd, sparse ? &segments : &all, sparse))
            walk->lost = true;
        free(segments.items);
    }
    if (fd >= 0)
        close(fd);
}

static void archive_symlink(struct walk *walk, const struct place *place, const struct stat *info) {
    char target[PATH_MAX + 1];
    ssize_t length = readlinkat(place->directory, place->name, target, PATH_MAX);
    if (length < 0)
        return;
    target[length] = '\0';
    write_plain(walk, place, info, '2', target);
}

static void archive_directory(struct walk *walk, int fd, const char *path);

static void archive_entry(struct walk *walk, const struct place *place) {
    struct stat info;
    if (fstatat(place->directory, place->name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            complain(walk, place->path, strerror(errno));
        return;
    }
    const char *earlier = earlier_link(walk, &info, place->path);
    if (earlier != NULL)
        write_plain(walk, place, &info, '1', earlier);
    else if (S_ISREG(info.st_mode))
        archive_file(walk, place, &info);
    else if (S_ISLNK(info.st_mode))
        archive_symlink(walk, place, &info);
    else if (S_ISDIR(info.st_mode)) {
        write_plain(walk, place, &info, '5', NULL);
        int fd = info.st_dev != walk->device
                     ? -1
                     : openat(place->directory, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
            archive_directory(walk, fd, place->path);
        else if (info.st_dev == walk->device)
            complain(walk, place->path, strerror(errno));
    } else if (!S_ISSOCK(info.st_mode)) /* a socket means nothing without the process behind it */
        write_plain(walk, place, &info, S_ISCHR(info.st_mode) ? '3' : S_ISBLK(info.st_mode) ? '4' : '6', NULL);
}

static bool is_left_out(const char *path) {
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (strcmp(path, left_out[i]) == 0)
            return true;
    return false;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that the same tree gives the same archive. NULL-terminated; NULL when memory is short. */
static char **read_names(DIR *stream) {
    size_t count = 0;
    char **names = calloc(1, sizeof *names);
    for (struct dirent *entry; names != NULL && (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char **grown = realloc(names, (count + 2) * sizeof *names);
        if (grown == NULL)
            return NULL;
        names = grown;
        names[count] = strdup(entry->d_name);
        names[++count] = NULL;
    }
    if (names != NULL)
        qsort(names, count, sizeof *names, by_name);
    return names;
}

/* Takes `fd`. */
static void archive_directory(struct walk *walk, int fd, const char *path) {
    DIR *stream = fdopendir(fd);
    char **names = stream == NULL ? NULL : read_names(stream);
    if (names == NULL)
        complain(walk, path, strerror(errno));
    for (char **name = names; names != NULL && *name != NULL; name++) {
        char *full = NULL;
        if (!walk->lost && asprintf(&full, "%s/%s", path, *name) >= 0 && !is_left_out(full))
            archive_entry(walk, &(struct place){fd, *name, full});
        free(full);
        free(*name);
    }
    free(names);
    if (stream != NULL)
        closedir(stream);
    else
        close(fd);
}

/* A mount of its own, without what is mounted below: files that a mount covers are seen too. */
static int open_root(const char *root) {
    int fd = (int)syscall(SYS_open_tree, AT_FDCWD, root, OPEN_TREE_CLONE | O_CLOEXEC);
    return fd >= 0 ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int archive_root(const char *root) {
    static char buffer[OUTPUT_BYTES];
    struct stat info;
    struct walk walk = {.status = 0};
    int fd = open_root(root);
    if (fd < 0 || fstat(fd, &info) != 0) {
        perror(root);
        return 1;
    }
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    walk.device = info.st_dev;
    write_plain(&walk, &(struct place){fd, ".", "."}, &info, '5', NULL);
    archive_directory(&walk, fd, ".");
    if (walk.lost || !tar_write_end(stdout)) {
        fprintf(stderr, "the archive could not be written: %s\n", strerror(errno));
        return 1;
    }
    return walk.status;
}
