#include "resume.h"
#include "fault.h"
#include "files.h"
#include "json.h"
#include "loop.h"
#include "trace.h"
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_PORT 1970
#define ENTROPY_BYTES 64
#define MAX_ANSWER 512
#define SILENCE_US 10000000ull

static struct {
    char *members; /* of the object, without its braces */
    struct stream *stream;
    char *request;
    size_t request_length, sent;
    char answer[MAX_ANSWER];
    size_t answer_length;
    uint64_t quiet_since;
    enum resume_outcome outcome;
    struct error error;
} resume;

bool resume_take(const char *text, size_t length, struct error *error) {
    struct json object;
    static const char blanks[] = " \t\r\n";
    while (length > 0 && strchr(blanks, text[length - 1])) {
        length--;
    }
    while (length > 0 && *text && strchr(blanks, *text)) {
        text++;
        length--;
    }
    if (length > MAX_RESUME_TEXT || !json_parse(text, length, &object) || text[0] != '{') {
        return fail(error, "CONFIG_INVALID", "MACHINEN_RESUME: is not a JSON object of at most %u bytes", MAX_RESUME_TEXT);
    }
    free(resume.members);
    resume.members = strndup(text + 1, length - 2);
    return resume.members || fail(error, "NO_MEMORY", "out of memory");
}

bool resume_read(const char *path, struct error *error) {
    static char text[MAX_RESUME_TEXT + 2];
    struct stat info;
    if (!path) {
        return resume_take("{}", 2, error);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool ok = fd >= 0 && fstat(fd, &info) == 0 && info.st_size < (off_t)sizeof text &&
              read_at(fd, text, (size_t)info.st_size, 0);
    close_fd(&fd);
    return ok ? resume_take(text, (size_t)info.st_size, error)
              : fail(error, "CONFIG_INVALID", "MACHINEN_RESUME: %.200s: cannot be read or is too large", path);
}

/* Ours come first, so that they win over members of the same name. */
static bool compose(void) {
    uint8_t entropy[ENTROPY_BYTES];
    char hex[2 * ENTROPY_BYTES + 1], first[256];
    struct timespec now;
    bool more = resume.members[strspn(resume.members, " \t\r\n")] != '\0';
    if (getrandom(entropy, sizeof entropy, 0) != sizeof entropy) {
        return false;
    }
    for (size_t i = 0; i < sizeof entropy; i++) {
        snprintf(hex + 2 * i, 3, "%02x", entropy[i]);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    int length = snprintf(first, sizeof first, "{\"time\":[%lld,%ld],\"entropy\":\"%s\",\"network\":%s,\"connections\":%s%s", (long long)now.tv_sec,
                          now.tv_nsec, hex, vm.network_off ? "false" : "true", vm.connections ? "true" : "false", more ? "," : "");
    free(resume.request);
    int total = asprintf(&resume.request, "RESUME %zu\n%s%s}", (size_t)length + strlen(resume.members) + 1, first, resume.members);
    resume.request_length = total > 0 ? (size_t)total : 0;
    return total > 0;
}

static void failed(const char *code, const char *message) {
    if (resume.outcome == RESUME_PENDING) {
        fail(&resume.error, code, "%s", message);
        resume.outcome = RESUME_FAILED;
    }
}

void resume_expect(void) {
    resume.quiet_since = now_us();
}

void resume_send(struct link *link) {
    trace("handshake", resume.quiet_since);
    fault(RESUME_LINKED);
    resume.answer_length = resume.sent = 0;
    resume.quiet_since = now_us();
    resume.stream = compose() ? stream_open(link, CONTROL_PORT) : NULL;
    if (!resume.stream) {
        failed("RESUME_FAILED", "the guest could not be told who it is: out of memory");
        return;
    }
    resume_writable();
    fault(RESUME_TOLD);
}

bool resume_owns(const struct stream *stream) {
    return stream == resume.stream;
}

void resume_writable(void) {
    if (resume.stream && resume.sent < resume.request_length) {
        resume.sent += stream_send(resume.stream, resume.request + resume.sent, resume.request_length - resume.sent);
    }
}

void resume_data(struct stream *stream, const uint8_t *bytes, size_t length) {
    size_t room = MAX_ANSWER - 1 - resume.answer_length, taken = length < room ? length : room;
    stream_consumed(stream, length);
    memcpy(resume.answer + resume.answer_length, bytes, taken);
    resume.answer_length += taken;
    resume.answer[resume.answer_length] = '\0';
    char *end = strchr(resume.answer, '\n');
    if (!end && taken == length) {
        return;
    }
    *(end ? end : resume.answer) = '\0';
    if (strcmp(resume.answer, "OK") == 0 || strncmp(resume.answer, "OK ", 3) == 0) {
        trace("resume", resume.quiet_since);
        resume.outcome = RESUME_ACCEPTED;
    } else {
        for (char *c = resume.answer; *c; c++) {
            *c = *c < ' ' || *c > '~' ? '?' : *c;
        }
        failed("RESUME_REFUSED", strncmp(resume.answer, "ERR ", 4) == 0 ? resume.answer + 4 : "the guest's answer makes no sense");
    }
    stream_reset(resume.stream);
    resume.stream = NULL;
    free(resume.request);
    resume.request = NULL;
    resume.request_length = 0;
}

/* The link itself may be starting anew: only silence tells. */
void resume_gone(void) {
    resume.stream = NULL;
}

enum resume_outcome resume_outcome(struct error *error) {
    if (now_us() - resume.quiet_since > SILENCE_US) {
        failed("RESUME_TIMEOUT", "the guest did not answer for 10 s after it was resumed");
    }
    if (resume.outcome == RESUME_FAILED) {
        *error = resume.error;
    }
    return resume.outcome;
}
