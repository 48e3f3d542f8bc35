#include "bundle-description.h"
#include "files.h"
#include "sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "vmm.json"
/* ,"sha256":"<64 hex digits>"} and a line feed */
#define ENDING_FORMAT ",\"sha256\":\"%s\"}\n"
#define ENDING_LENGTH 78u

bool bad_file(struct error *error, const char *name) {
    const char *code = no_space_left() ? "NO_SPACE" : errno == EINTR ? "INTERRUPTED" : "BUNDLE_IO";
    return fail(error, code, "%s: %s", name, strerror(errno));
}

static void make_ending(const char *text, size_t length, char ending[ENDING_LENGTH + 1]) {
    struct sha256 hash;
    char hex[65];
    sha256_start(&hash);
    sha256_add(&hash, text, length);
    sha256_end(&hash, hex);
    snprintf(ending, ENDING_LENGTH + 1, ENDING_FORMAT, hex);
}

bool description_write(int directory, char *text, struct error *error) {
    size_t length = strlen(text);
    if (length + ENDING_LENGTH >= MAX_DESCRIPTION) {
        return fail(error, "NO_MEMORY", NAME ": there is too much to describe");
    }
    make_ending(text, length, text + length);
    int fd = openat(directory, NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, text, strlen(text)) && fsync(fd) == 0 && fsync(directory) == 0;
    if (!ok) {
        bad_file(error, NAME);
        if (fd >= 0) {
            unlinkat(directory, NAME, 0);
        }
    }
    close_fd(&fd);
    return ok;
}

bool description_read(int directory, char *text, struct json *object, struct error *error) {
    char ending[ENDING_LENGTH + 1];
    int fd = openat(directory, NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, text, MAX_DESCRIPTION);
    close_fd(&fd);
    if (n < 0) {
        return bad_file(error, NAME);
    }
    if (!json_parse(text, (size_t)n, object)) {
        return fail(error, "BUNDLE_CORRUPT", NAME ": is not JSON");
    }
    size_t length = (size_t)n < ENDING_LENGTH ? 0 : (size_t)n - ENDING_LENGTH;
    make_ending(text, length, ending);
    return memcmp(text + length, ending, (size_t)n - length) == 0 ||
           fail(error, "BUNDLE_CORRUPT", NAME ": its checksum is wrong");
}
