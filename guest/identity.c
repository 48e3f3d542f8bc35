#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_HOST_NAME = 64 };

bool set_clock(int64_t seconds, long nanoseconds) {
    struct timespec time = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    return clock_settime(CLOCK_REALTIME, &time) == 0;
}

bool decode_entropy(const char *text, uint8_t bytes[MOST_ENTROPY], size_t *length) {
    for (*length = 0; *text != '\0'; text += 2, (*length)++) {
        char pair[3] = {text[0], text[1], '\0'}, *end;
        if (*length == MOST_ENTROPY || strspn(pair, "0123456789abcdefABCDEF") != 2)
            return false;
        bytes[*length] = (uint8_t)strtoul(pair, &end, 16);
    }
    return *length > 0;
}

static int random_device(void) {
    static int fd = -1;
    if (fd < 0)
        fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    return fd;
}

void identity_prepare(void) {
    random_device();
}

bool mix_entropy(const uint8_t *bytes, size_t length) {
    struct {
        struct rand_pool_info info;
        uint8_t bytes[MOST_ENTROPY];
    } pool = {.info = {.entropy_count = (int)length * 8, .buf_size = (int)length}};
    memcpy(pool.info.buf, bytes, length);
    int fd = random_device();
    return fd >= 0 && ioctl(fd, RNDADDENTROPY, &pool) == 0 && ioctl(fd, RNDRESEEDCRNG) == 0;
}

bool is_host_name(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= LONGEST_HOST_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == length;
}

bool set_host_name(const char *name) {
    errno = EINVAL;
    return is_host_name(name) && sethostname(name, strlen(name)) == 0;
}
