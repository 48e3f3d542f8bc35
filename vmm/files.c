#include "files.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

bool read_at(int fd, void *bytes, size_t length, off_t offset) {
    for (size_t done = 0; done < length;) {
        ssize_t n = pread(fd, (char *)bytes + done, length - done, offset + (off_t)done);
        if (n == 0) {
            errno = ENODATA;
            return false;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool write_at(int fd, const void *bytes, size_t length, off_t offset) {
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(fd, (const char *)bytes + done, length - done, offset + (off_t)done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool write_all(int fd, const void *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t n = write(fd, (const char *)bytes + done, length - done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool no_space_left(void) {
    return errno == ENOSPC || errno == EDQUOT || errno == ENOMEM || errno == EFBIG;
}

int memfd_new(const char *name, uint64_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
        close_fd(&fd);
    }
    return fd;
}

bool seal(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

int reopen_read_only(int fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Some file systems have no O_TMPFILE: there the name lives for an instant. */
int nameless_file(const char *directory) {
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        char path[4096];
        snprintf(path, sizeof path, "%s/.disk-XXXXXX", directory);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            unlink(path);
        }
    }
    return fd;
}

bool make_socketpair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
}

void close_fd(int *fd) {
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
        *fd = -1;
    }
}

/* How many bytes from here on are pages of zeros, or are not. */
static size_t alike(const char *bytes, size_t length, bool zero) {
    static const char zeros[4096];
    size_t at = 0;
    while (at < length) {
        size_t piece = length - at < sizeof zeros ? length - at : sizeof zeros;
        if ((memcmp(bytes + at, zeros, piece) == 0) != zero) {
            break;
        }
        at += piece;
    }
    return at;
}

/* What a guest writes to for the first time gets a page of zeros in the file below, too: no need to copy those. */
static bool write_but_zeros(int to, const char *bytes, size_t length, off_t start) {
    for (size_t at = 0; at < length;) {
        at += alike(bytes + at, length - at, true);
        size_t data = alike(bytes + at, length - at, false);
        if (!write_at(to, bytes + at, data, start + (off_t)at)) {
            return false;
        }
        at += data;
    }
    return true;
}

static bool copy_range(int from, int to, off_t start, off_t end, char *buffer, size_t room) {
    while (start < end) {
        size_t length = (size_t)(end - start) < room ? (size_t)(end - start) : room;
        if (loop_interrupted()) {
            errno = EINTR;
            return false;
        }
        if (!read_at(from, buffer, length, start) || !write_but_zeros(to, buffer, length, start)) {
            return false;
        }
        start += (off_t)length;
    }
    return true;
}

bool copy_data(int from, int to, uint64_t size, struct error *error) {
    size_t room = 1 << 20;
    char *buffer = malloc(room);
    bool ok = buffer != NULL;
    for (off_t start = 0; ok && (uint64_t)start < size;) {
        off_t data = lseek(from, start, SEEK_DATA);
        if (data < 0 && errno == ENXIO) {
            break;
        }
        off_t end = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
        if (end > (off_t)size) {
            end = (off_t)size;
        }
        ok = end >= 0 && copy_range(from, to, data, end, buffer, room);
        start = end;
    }
    free(buffer);
    return ok || fail(error, no_space_left() ? "NO_SPACE" : "COPY_FAILED",
                      "copying memory: %s", strerror(errno));
}
