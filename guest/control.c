#include "control.h"

#include "lines.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ENTROPY = 512, LONGEST_HOSTNAME = 64 };

bool control_owns_machine;
bool power_off_wanted;

static bool decode_hex(const char *text, uint8_t *bytes, size_t most, size_t *length) {
    for (*length = 0; *text != '\0'; text += 2, (*length)++) {
        char pair[3] = {text[0], text[1], '\0'}, *end;
        if (*length == most || strspn(pair, "0123456789abcdefABCDEF") != 2)
            return false;
        bytes[*length] = (uint8_t)strtoul(pair, &end, 16);
    }
    return *length > 0;
}

static bool mix_entropy(const uint8_t *bytes, size_t length) {
    struct {
        struct rand_pool_info info;
        uint8_t bytes[MOST_ENTROPY];
    } pool = {.info = {.entropy_count = (int)length * 8, .buf_size = (int)length}};
    memcpy(pool.info.buf, bytes, length);
    int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = ioctl(fd, RNDADDENTROPY, &pool) == 0 && ioctl(fd, RNDRESEEDCRNG) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

static bool set_time(const char *text, bool *understood) {
    long long seconds;
    long nanoseconds;
    char rest;
    *understood = sscanf(text, "%lld %ld%c", &seconds, &nanoseconds, &rest) == 2 && seconds >= 0 &&
                  nanoseconds >= 0 && nanoseconds < 1000000000;
    struct timespec time = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    return *understood && clock_settime(CLOCK_REALTIME, &time) == 0;
}

static bool valid_hostname(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= LONGEST_HOSTNAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == length;
}

static void answer(struct lines *lines, bool understood, bool done) {
    if (!understood)
        lines_answer(lines, "ERR malformed request\n");
    else if (!done)
        lines_answer(lines, "ERR %s\n", strerror(errno));
    else
        lines_answer(lines, "OK\n");
}

static void change_machine(struct lines *lines, const char *verb, const char *text) {
    static uint8_t bytes[MOST_ENTROPY];
    size_t length;
    bool understood = true, done = false;
    if (!control_owns_machine) {
        lines_answer(lines, "ERR not PID 1 here\n");
        return;
    }
    if (strcmp(verb, "TIME") == 0) {
        done = set_time(text, &understood);
    } else if (strcmp(verb, "ENTROPY") == 0) {
        understood = decode_hex(text, bytes, sizeof bytes, &length);
        done = understood && mix_entropy(bytes, length);
    } else if (strcmp(verb, "HOSTNAME") == 0) {
        understood = valid_hostname(text);
        done = understood && sethostname(text, strlen(text)) == 0;
    } else {
        power_off_wanted = done = true;
    }
    answer(lines, understood, done);
}

static void request(struct lines *lines, char *line) {
    char *text = line;
    const char *verb = line == NULL ? "" : strsep(&text, " ");
    if (text == NULL)
        text = "";
    if (strcmp(verb, "PING") == 0) {
        lines_answer(lines, "OK %llu\n", (unsigned long long)monotonic_ms());
    } else if (strcmp(verb, "SYNC") == 0) {
        sync();
        lines_answer(lines, "OK\n");
    } else if (strcmp(verb, "TIME") == 0 || strcmp(verb, "ENTROPY") == 0 ||
               strcmp(verb, "HOSTNAME") == 0 || strcmp(verb, "POWEROFF") == 0) {
        change_machine(lines, verb, text);
    } else {
        lines_answer(lines, "ERR unknown request\n");
    }
}

static struct connection *opened(struct stream *stream) {
    (void)stream;
    return lines_opened(request);
}

const struct service control_service = {1970, opened, lines_data, lines_finished, lines_writable, lines_gone};
