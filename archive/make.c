#include "make.h"

#include "contents.h"
#include "draft.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The whole of a file up to this size is held before it is made. */
enum { SMALL_BYTES = 65536, ALL_BITS = 07777, WITHOUT_OWNER = 01777 };

mode_t mode_of(const struct job *job, const struct member *member) {
    return member->mode & (job->options->owner && job->options->set_ids ? ALL_BITS : WITHOUT_OWNER);
}

/* Rights only to whom they were meant for. */
static enum attribute_kinds kinds_of(const struct job *job, bool given) {
    return !given ? ATTRIBUTES_USER : job->options->set_ids ? ATTRIBUTES_RIGHTS : ATTRIBUTES_OWNERS;
}

/* Going on would only fail again and again, and leave more behind. */
static bool is_final(int error) {
    return error == ENOSPC || error == EDQUOT || error == EIO || error == EROFS;
}

static void failed(struct job *job, const struct member *member, int error) {
    job->stopped = job->stopped || is_final(error);
    if (job->stopped)
        report_stop(member->path, strerror(error));
    else
        report(member->path, strerror(error));
}

static bool write_all(int fd, const uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

/* False with errno; EPIPE: the archive was cut off. */
static bool write_data(struct reader *reader, int fd, uint64_t length) {
    const uint8_t *bytes;
    while (length > 0) {
        size_t count = reader_data(reader, length < READER_BYTES ? (size_t)length : READER_BYTES, &bytes);
        if (count == 0)
            return errno = EPIPE, false;
        if (!write_all(fd, bytes, count))
            return false;
        length -= count;
    }
    return true;
}

static bool write_sparse(struct reader *reader, int fd, uint64_t real_size) {
    struct extents extents;
    bool ok = extents_read(reader, real_size, &extents);
    if (!ok)
        errno = EBADMSG;
    ok = ok && ftruncate(fd, (off_t)real_size) == 0;
    for (size_t i = 0; ok && i < extents.count; i++)
        ok = lseek(fd, (off_t)extents.list[i].start, SEEK_SET) >= 0 &&
             write_data(reader, fd, extents.list[i].length);
    int error = errno;
    extents_free(&extents);
    errno = error;
    return ok;
}

/* The mode last: chown() clears bits of it. Who may not give the file away keeps it, without the bits that would
 * then lend the wrong user's rights. */
static bool set_attributes(const struct job *job, int fd, const struct member *member) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, member->mtime};
    mode_t mode = mode_of(job, member);
    bool given = job->options->owner && fchown(fd, member->uid, member->gid) == 0;
    if (!given)
        mode &= WITHOUT_OWNER;
    /* Before the mode, which may take the right to set them away; after the owner, whose change takes capabilities. */
    if (!attributes_set(fd, kinds_of(job, given), &member->attributes))
        report(member->path, "not all extended attributes could be set");
    return fchmod(fd, mode) == 0 && futimens(fd, times) == 0;
}

static void make_file(struct job *job, int parent, const char *name, const struct member *member) {
    static uint8_t small[SMALL_BYTES];
    struct draft draft;
    bool is_small = !member->sparse && member->size <= SMALL_BYTES;
    if (is_small && !reader_copy(job->reader, small, member->size))
        return; /* cut off: the next look for a member says so */
    if (!draft_open(&draft, parent, name, is_small)) {
        failed(job, member, errno);
        return;
    }
    bool written = is_small         ? write_all(draft.fd, small, member->size)
                   : member->sparse ? write_sparse(job->reader, draft.fd, member->real_size)
                                    : write_data(job->reader, draft.fd, member->size);
    if (!written || !set_attributes(job, draft.fd, member)) {
        int error = errno;
        draft_abandon(&draft);
        if (error != EPIPE)
            failed(job, member, error);
    } else if (!draft_finish(&draft))
        failed(job, member, errno);
}

/* What can be made without following anything, in place of what was there. */
static int make_node(int parent, const char *name, const struct member *member) {
    switch (member->type) {
    case MEMBER_SYMLINK:
        return symlinkat(member->target, parent, name);
    case MEMBER_FIFO:
        return mknodat(parent, name, S_IFIFO | 0600, 0);
    default:
        return mknodat(parent, name, (member->type == MEMBER_BLOCK ? S_IFBLK : S_IFCHR) | 0600,
                       makedev(member->major, member->minor));
    }
}

static void make_special(struct job *job, int parent, const char *name, const struct member *member) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, member->mtime};
    if (make_node(parent, name, member) != 0 &&
        (errno != EEXIST || !remove_entry(parent, name) || make_node(parent, name, member) != 0)) {
        failed(job, member, errno);
        return;
    }
    bool given = !job->options->owner || fchownat(parent, name, member->uid, member->gid, AT_SYMLINK_NOFOLLOW) == 0;
    /* A link has no mode. The node was made here a moment ago; a name that has become a link since is not followed. */
    int fd = member->type == MEMBER_SYMLINK ? -1 : openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        char path[40];
        struct stat now;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (fstat(fd, &now) == 0 && !S_ISLNK(now.st_mode))
            chmod(path, mode_of(job, member) & (given ? ALL_BITS : WITHOUT_OWNER));
        close(fd);
    }
    utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
}

static bool are_same(int one, const char *one_name, int other, const char *other_name) {
    struct stat a, b;
    return fstatat(one, one_name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(other, other_name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void make_hard_link(struct job *job, int parent, const char *name, const struct member *member) {
    const char *target = NULL;
    char *path = strdup(member->target);
    int from = path == NULL ? -1 : place_find(job->place, path, &target);
    int error = errno;
    if (from >= 0) {
        bool made = are_same(from, target, parent, name) || linkat(from, target, parent, name, 0) == 0 ||
                    (errno == EEXIST && remove_entry(parent, name) && linkat(from, target, parent, name, 0) == 0);
        error = made ? 0 : errno;
        close(from);
    }
    free(path);
    if (from < 0 || error != 0)
        failed(job, member, error);
}

void make_member(struct job *job, int parent, const char *name, const struct member *member) {
    const char *message;
    if (member->unreadable)
        report(member->path, "an old sparse format, which is not supported");
    else if (member->type == MEMBER_FILE)
        make_file(job, parent, name, member);
    else if (member->type == MEMBER_HARD_LINK)
        make_hard_link(job, parent, name, member);
    else if (member->type == MEMBER_DIRECTORY) {
        if (!place_directory(job->place, parent, name, member, mode_of(job, member), job->options->owner, &message))
            report(member->path, message);
    } else if (member->type == MEMBER_SYMLINK || member->type == MEMBER_FIFO)
        make_special(job, parent, name, member);
    else if (member->type != MEMBER_CHARACTER && member->type != MEMBER_BLOCK)
        report(member->path, "an unknown type of member");
    else if (job->options->devices)
        make_special(job, parent, name, member);
    else
        report(member->path, "refused: a device");
}
