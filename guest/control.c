#include "control.h"

#include "frame.h"
#include "identity.h"
#include "lines.h"
#include "loop.h"
#include "mounts.h"
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool control_owns_machine;
bool power_off_wanted;

static bool set_time(const char *text, bool *understood) {
    long long seconds;
    long nanoseconds;
    char rest;
    *understood = sscanf(text, "%lld %ld%c", &seconds, &nanoseconds, &rest) == 2 && seconds >= 0 &&
                  nanoseconds >= 0 && nanoseconds < 1000000000;
    return *understood && set_clock(seconds, nanoseconds);
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
        understood = decode_entropy(text, bytes, &length);
        done = understood && mix_entropy(bytes, length);
    } else if (strcmp(verb, "HOSTNAME") == 0) {
        understood = is_host_name(text);
        done = understood && set_host_name(text);
    } else {
        power_off_wanted = done = true;
    }
    answer(lines, understood, done);
}

static void resume_with(struct lines *lines, char *text, size_t length) {
    const char *error = resume(text, length);
    if (error == NULL)
        lines_answer(lines, "OK\n");
    else
        lines_answer(lines, "ERR %s\n", error);
}

/* Text whose length nobody knows cannot be skipped, and must not be taken for requests. */
static void expect_resume(struct lines *lines, const char *text) {
    unsigned length;
    if (parse_numbers(text, 1, &length) && length <= LARGEST_RESUME) {
        lines_expect(lines, length, resume_with);
        return;
    }
    lines_answer(lines, "ERR malformed request\n");
    lines_end(lines);
}

static void request(struct lines *lines, char *line) {
    char *text = line;
    const char *verb = line == NULL ? "" : strsep(&text, " ");
    if (text == NULL)
        text = "";
    if (strcmp(verb, "PING") == 0) {
        lines_answer(lines, "OK %llu\n", (unsigned long long)monotonic_ms());
    } else if (strcmp(verb, "SYNC") == 0) {
        sync_local();
        lines_answer(lines, "OK\n");
    } else if (strcmp(verb, "RESUME") == 0) {
        expect_resume(lines, text);
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
