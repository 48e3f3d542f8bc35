#include "frame.h"

#include <signal.h>
#include <string.h>

enum { LONGEST_HEADER = 32, MOST_DIGITS = 8, MOST_INPUT = 65536, LARGEST_SIZE = 10000 };

bool parse_numbers(const char *text, unsigned count, unsigned *values) {
    for (unsigned i = 0; i < count; i++) {
        unsigned digits = 0;
        if (i > 0 && *text++ != ' ')
            return false;
        values[i] = 0;
        for (; *text >= '0' && *text <= '9'; text++) {
            if (++digits > MOST_DIGITS)
                return false;
            values[i] = values[i] * 10 + (unsigned)(*text - '0');
        }
        if (digits == 0)
            return false;
    }
    return *text == '\0';
}

/* A number, or a name with or without SIG. */
static bool parse_signal(const char *text, unsigned *number) {
    if (parse_numbers(text, 1, number))
        return *number >= 1 && *number < NSIG;
    if (strncmp(text, "SIG", 3) == 0)
        text += 3;
    for (unsigned i = 1; i < NSIG; i++) {
        const char *name = sigabbrev_np((int)i);
        if (name != NULL && strcmp(name, text) == 0) {
            *number = i;
            return true;
        }
    }
    return false;
}

static bool parse_size(const char *text, unsigned *values) {
    return parse_numbers(text, 2, values) && values[0] >= 1 && values[0] <= LARGEST_SIZE &&
           values[1] >= 1 && values[1] <= LARGEST_SIZE;
}

static bool parse_header(const char *text, struct frame *frame) {
    frame->type = text[0];
    if (strcmp(text, "C") == 0)
        return true;
    if (text[0] == '\0' || text[1] != ' ')
        return false;
    switch (text[0]) {
    case 'I':
        return parse_numbers(text + 2, 1, frame->value) && frame->value[0] <= MOST_INPUT;
    case 'R':
        return parse_size(text + 2, frame->value);
    case 'S':
        return parse_signal(text + 2, frame->value);
    default:
        return false;
    }
}

ssize_t parse_frame(const uint8_t *bytes, size_t length, struct frame *frame) {
    char text[LONGEST_HEADER + 1];
    size_t look = length < LONGEST_HEADER ? length : LONGEST_HEADER;
    const uint8_t *newline = memchr(bytes, '\n', look);
    if (newline == NULL)
        return length < LONGEST_HEADER ? 0 : -1;
    size_t end = (size_t)(newline - bytes);
    memcpy(text, bytes, end);
    text[end] = '\0';
    return parse_header(text, frame) ? (ssize_t)end + 1 : -1;
}
