/* The fast way over most of a flood: text, and sequences that only draw or colour. */
#include "terminal-modes-internal.h"

#include <string.h>

enum { ESC = 0x1b, C2 = 0xc2, SHIFT_OUT = 0x0e, SHIFT_IN = 0x0f, SHORT_TEXT = 24, MOST_WAITING = 8 };

static const bool stops[256] = {[ESC] = true, [C2] = true, [SHIFT_OUT] = true, [SHIFT_IN] = true};

/* Final bytes of sequences that leave nothing behind: cursor movement, erasing, reports. */
static const bool draws[256] = {
    ['@'] = true, ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true,
    ['G'] = true, ['H'] = true, ['J'] = true, ['K'] = true, ['L'] = true, ['M'] = true, ['P'] = true,
    ['S'] = true, ['T'] = true, ['X'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true,
    ['e'] = true, ['f'] = true, ['n'] = true,
};

/* Colours that have not been looked at, because a reset may make them all the same. */
struct waiting {
    const uint8_t *at[MOST_WAITING];
    size_t length[MOST_WAITING];
    unsigned count;
};

static void change_pen(void *owner, const struct escape *escape) {
    pen_change(&((struct terminal_modes *)owner)->pen, escape);
}

static void settle(struct terminal_modes *modes, struct waiting *waiting) {
    struct escape_reader reader = {take_control, change_pen, modes};
    for (unsigned i = 0; i < waiting->count; i++)
        escape_take(&modes->parser, waiting->at[i], waiting->length[i], &reader);
    waiting->count = 0;
}

static void colour(struct terminal_modes *modes, struct waiting *waiting, const uint8_t *bytes, size_t length) {
    if (length == 3 || (length == 4 && bytes[2] == '0')) {
        waiting->count = 0;
        modes->pen = (struct pen){0};
        return;
    }
    if (waiting->count == MOST_WAITING)
        settle(modes, waiting);
    waiting->at[waiting->count] = bytes;
    waiting->length[waiting->count++] = length;
}

/* The length of a CSI sequence of numbers only that stands here whole, else 0. */
static size_t simple_csi(const uint8_t *bytes, size_t length) {
    size_t at = 2;
    if (length < 3 || bytes[1] != '[')
        return 0;
    while (at < length && bytes[at] >= '0' && bytes[at] < 0x3c)
        at++;
    return at < length && bytes[at] >= 0x40 && bytes[at] < 0x7f ? at + 1 : 0;
}

/* Little text is looked through at once, much of it by what is fastest. */
static size_t next_stop(const uint8_t *bytes, size_t length) {
    size_t at = 0, some = length < SHORT_TEXT ? length : SHORT_TEXT;
    while (at < some && !stops[bytes[at]])
        at++;
    if (at < some || at == length)
        return at;
    static const uint8_t all[] = {ESC, C2, SHIFT_OUT, SHIFT_IN};
    size_t end = length;
    for (size_t i = 0; i < sizeof all; i++) {
        const uint8_t *found = memchr(bytes + at, all[i], end - at);
        if (found != NULL)
            end = (size_t)(found - bytes);
    }
    return end;
}

static size_t take_text(struct terminal_modes *modes, const uint8_t *bytes, size_t length) {
    size_t end = next_stop(bytes, length);
    if (end > 0)
        modes->after_return = bytes[end - 1] == '\r';
    for (size_t i = 0; i < end && modes->follows_column; i++)
        column_byte(modes, bytes[i]);
    return end;
}

size_t skim(struct terminal_modes *modes, const uint8_t *bytes, size_t length) {
    struct waiting waiting = {.count = 0};
    size_t at = 0;
    for (;;) {
        at += take_text(modes, bytes + at, length - at);
        if (at == length)
            break;
        if (bytes[at] == SHIFT_OUT || bytes[at] == SHIFT_IN) {
            modes->charsets.shift = (char)bytes[at++];
            continue;
        }
        if (bytes[at] == C2 && at + 1 < length && (bytes[at + 1] < 0x80 || bytes[at + 1] >= 0xa0)) {
            modes->column = -1;
            at++;
            continue;
        }
        size_t sequence = bytes[at] == ESC ? simple_csi(bytes + at, length - at) : 0;
        uint8_t final = sequence == 0 ? 0 : bytes[at + sequence - 1];
        if (final == 'm')
            colour(modes, &waiting, bytes + at, sequence);
        else if (!draws[final] || modes->follows_column)
            break;
        modes->after_return = false;
        at += sequence;
    }
    settle(modes, &waiting);
    return at;
}
