#include "pack.h"

#include "contents.h"
#include "links.h"
#include "names.h"
#include "report.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { FILE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, STAT_BLOCK = 512 };

struct job {
    const struct pack *options;
    struct writer *writer;
    struct links *links;
    /* The path of the current member: in the archive `./a/b`, or `name/b` when the top has a name. */
    char path[TAR_LONGEST_PATH + 1];
    size_t length;
};

static struct member member_of(const struct job *job, const struct stat *stat, char type) {
    return (struct member){.type = type, .mode = stat->st_mode & 07777, .uid = stat->st_uid, .gid = stat->st_gid,
                           .mtime = stat->st_mtim, .path = (char *)job->path};
}

/* Without `name`: those of the open file `fd`. Links and nodes have none that mean something elsewhere. */
static void add_attributes(const struct job *job, int fd, const char *name, struct member *member) {
    enum attribute_kinds kinds = job->options->all_attributes ? ATTRIBUTES_ALL : ATTRIBUTES_RIGHTS;
    if ((name == NULL || kinds == ATTRIBUTES_ALL) && !attributes_read(fd, name, kinds, &member->attributes))
        report(job->path, "has more extended attributes than an archive takes");
}

static void failed(const struct job *job) {
    report(job->path, strerror(errno));
}

/* The announced size is kept whatever happens to the file meanwhile. */
static void write_extent(const struct job *job, int fd, uint64_t start, uint64_t length) {
    if (lseek(fd, (off_t)start, SEEK_SET) < 0)
        failed(job);
    while (length > 0 && !job->writer->broken) {
        long count = writer_read(job->writer, fd, length < WRITER_BYTES ? (size_t)length : WRITER_BYTES);
        if (count <= 0) {
            report(job->path, count < 0 ? strerror(errno) : "became shorter while it was read; filled up with zeros");
            writer_zeros(job->writer, length);
            return;
        }
        length -= (uint64_t)count;
    }
}

static void write_sparse(const struct job *job, int fd, struct member *member, const struct extents *extents) {
    size_t length;
    char *map = extents_text(extents, member->real_size, &length);
    if (map == NULL) {
        report(job->path, "out of memory");
        return;
    }
    member->sparse = true;
    member->size = length;
    for (size_t i = 0; i < extents->count; i++)
        member->size += extents->list[i].length;
    writer_member(job->writer, member);
    writer_bytes(job->writer, map, length);
    for (size_t i = 0; i < extents->count; i++)
        write_extent(job, fd, extents->list[i].start, extents->list[i].length);
    free(map);
}

static void write_contents(const struct job *job, int fd, const struct stat *stat) {
    struct member member = member_of(job, stat, MEMBER_FILE);
    struct extents extents = {.list = NULL};
    member.size = member.real_size = (uint64_t)stat->st_size;
    add_attributes(job, fd, NULL, &member);
    bool has_holes = (uint64_t)stat->st_blocks * STAT_BLOCK < member.size && extents_of(fd, member.size, &extents) &&
                     !(extents.count == 1 && extents.list[0].length == member.size);
    if (has_holes)
        write_sparse(job, fd, &member, &extents);
    else {
        writer_member(job->writer, &member);
        write_extent(job, fd, 0, member.size);
    }
    writer_pad(job->writer, member.size);
    attributes_free(&member.attributes);
    extents_free(&extents);
}

static void write_file(struct job *job, int parent, const char *name) {
    struct stat stat;
    int fd = openat(parent, name, FILE_FLAGS);
    if (fd < 0 || fstat(fd, &stat) != 0)
        failed(job);
    else if (!S_ISREG(stat.st_mode))
        report(job->path, "changed while it was read");
    else
        write_contents(job, fd, &stat);
    if (fd >= 0)
        close(fd);
}

static void write_symlink(struct job *job, int parent, const char *name, const struct stat *stat) {
    struct member member = member_of(job, stat, MEMBER_SYMLINK);
    char target[TAR_LONGEST_PATH];
    ssize_t length = readlinkat(parent, name, target, sizeof target - 1);
    if (length < 0) {
        failed(job);
        return;
    }
    target[length] = '\0';
    member.target = target;
    add_attributes(job, parent, name, &member);
    writer_member(job->writer, &member);
    attributes_free(&member.attributes);
}

static bool write_as_link(struct job *job, const struct stat *stat) {
    struct member member = member_of(job, stat, MEMBER_HARD_LINK);
    const char *first = stat->st_nlink < 2 ? NULL : links_find(&job->links, stat->st_dev, stat->st_ino, job->path);
    if (first == NULL)
        return false;
    member.target = (char *)first;
    writer_member(job->writer, &member);
    return true;
}

static void write_node(struct job *job, int parent, const char *name, const struct stat *stat) {
    bool fifo = S_ISFIFO(stat->st_mode);
    struct member member = member_of(job, stat, fifo ? MEMBER_FIFO : S_ISBLK(stat->st_mode) ? MEMBER_BLOCK : MEMBER_CHARACTER);
    if (!fifo && !job->options->devices)
        return;
    member.major = fifo ? 0 : major(stat->st_rdev);
    member.minor = fifo ? 0 : minor(stat->st_rdev);
    add_attributes(job, parent, name, &member);
    writer_member(job->writer, &member);
    attributes_free(&member.attributes);
}

/* A file system the kernel makes up: endless, and another one on the machine it is copied to. */
static bool is_made_up(int fd) {
    struct statfs stat;
    if (fstatfs(fd, &stat) != 0)
        return false;
    switch (stat.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case DEVPTS_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

static void write_entry(struct job *job, int parent, const char *name);

/* One name of the directory `fd` whose path is the first `length` bytes of the job's. */
static bool write_named(struct job *job, int fd, size_t length, const char *name) {
    size_t more = strlen(name) + 1;
    if (length + more > TAR_LONGEST_PATH) {
        report(job->path, "too deep a path");
        return false;
    }
    job->path[length] = '/';
    memcpy(job->path + length + 1, name, more);
    job->length = length + more;
    write_entry(job, fd, name);
    job->length = length;
    job->path[length] = '\0';
    return true;
}

static void write_entries(struct job *job, int fd) {
    struct names names;
    size_t length = job->length;
    const char *name;
    bool fine = names_open(&names, fd, job->options->sorted);
    while (fine && !job->writer->broken && (name = names_next(&names)) != NULL)
        fine = write_named(job, fd, length, name);
    if (names.error != 0)
        report(job->path, strerror(names.error));
    names_close(&names);
}

/* Takes over `fd`. `device` is that of the directory above. */
static void write_directory(struct job *job, int fd, dev_t device) {
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) {
        failed(job);
        return;
    }
    struct member member = member_of(job, &stat, MEMBER_DIRECTORY);
    add_attributes(job, fd, NULL, &member);
    writer_member(job->writer, &member);
    attributes_free(&member.attributes);
    if (stat.st_dev != device && (job->options->one_file_system || is_made_up(fd)))
        close(fd);
    else
        write_entries(job, fd);
}

static void write_entry(struct job *job, int parent, const char *name) {
    struct stat stat;
    if (is_excluded(&job->options->excludes, job->path))
        return;
    if (fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        failed(job);
    else if (S_ISDIR(stat.st_mode)) {
        struct stat above;
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        write_directory(job, fd, parent >= 0 && fstat(parent, &above) == 0 ? above.st_dev : stat.st_dev);
    } else if (!S_ISSOCK(stat.st_mode) && !write_as_link(job, &stat)) {
        if (S_ISREG(stat.st_mode))
            write_file(job, parent, name);
        else if (S_ISLNK(stat.st_mode))
            write_symlink(job, parent, name, &stat);
        else
            write_node(job, parent, name, &stat);
    }
}

/* The top: a directory whose contents are asked for may be reached through a link, as by `cd`. */
static bool write_top(struct job *job) {
    const struct pack *options = job->options;
    struct stat stat;
    snprintf(job->path, sizeof job->path, "%s", options->name == NULL ? "." : options->name);
    job->length = strlen(job->path);
    int fd = options->name == NULL ? open(options->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (options->name == NULL ? fd < 0 || fstat(fd, &stat) != 0 : lstat(options->path, &stat) != 0) {
        report_stop(options->path, strerror(errno));
        return false;
    }
    if (options->name == NULL)
        write_directory(job, fd, stat.st_dev);
    else
        write_entry(job, AT_FDCWD, options->path);
    return true;
}

int pack(int fd, const struct pack *options) {
    static struct writer writer;
    static struct job job;
    struct rlimit files;
    writer.fd = fd;
    job = (struct job){.options = options, .writer = &writer};
    /* Every level of the tree is an open directory. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (write_top(&job))
        writer_end(&writer);
    if (writer.broken)
        report_stop(options->path, "nobody reads the archive any more");
    links_free(&job.links);
    return report_end();
}
