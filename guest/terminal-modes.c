#include "terminal-modes-internal.h"

#include <string.h>

enum { SHIFT_OUT = 0x0e, SHIFT_IN = 0x0f };

static void reset(struct terminal_modes *modes) {
    struct terminal_screen *screens = modes->screens;
    modes->setting_count = 0;
    modes->alternate = 0;
    modes->follows_column = modes->after_return = false;
    modes->pen = (struct pen){0};
    modes->charsets = (struct charsets){0};
    memset(screens, 0, sizeof modes->screens);
    reset_tabs(&screens[0]);
    reset_tabs(&screens[1]);
}

void terminal_modes_init(struct terminal_modes *modes, unsigned cols) {
    memset(modes, 0, sizeof *modes);
    modes->cols = cols;
    reset(modes);
}

void terminal_modes_resize(struct terminal_modes *modes, unsigned cols) {
    for (int i = 0; i < 2; i++)
        modes->screens[i].top = modes->screens[i].bottom = 0;
    modes->cols = cols;
    modes->column = -1;
}

void take_control(void *owner, uint8_t byte) {
    struct terminal_modes *modes = owner;
    if (byte == SHIFT_OUT || byte == SHIFT_IN)
        modes->charsets.shift = (char)byte;
    else if (modes->follows_column)
        column_byte(modes, byte);
}

/* Cut where a character ends. */
static void set_title(struct terminal_modes *modes, const char *bytes, size_t length) {
    if (length > sizeof modes->title - 1)
        length = sizeof modes->title - 1;
    size_t last = length;
    while (last > 0 && (bytes[last - 1] & 0xc0) == 0x80)
        last--;
    if (last > 0 && (bytes[last - 1] & 0x80)) {
        uint8_t lead = (uint8_t)bytes[last - 1];
        size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (length - (last - 1) < needed)
            length = last - 1;
    }
    memcpy(modes->title, bytes, length);
    modes->title[length] = '\0';
}

static void osc(struct terminal_modes *modes, const struct escape *escape) {
    const char *string = escape->string;
    if (escape->string_length >= 2 && (string[0] == '0' || string[0] == '2') && string[1] == ';')
        set_title(modes, string + 2, escape->string_length - 2);
}

/* `-`, `.` and `/` designate G1 to G3 as `)`, `*` and `+` do. */
static void designate(struct terminal_modes *modes, const struct escape *escape) {
    static const char introducers[] = "()*+-./";
    const char *found = strchr(introducers, escape->intermediates[0]);
    size_t place = found == NULL ? 4 : (size_t)(found - introducers);
    if (escape->intermediates[0] == '%' && (escape->final == '@' || escape->final == 'G')) {
        modes->charsets.sets[0][0] = '\0';
        modes->charsets.shift = 0;
    } else if (found != NULL && *found != '\0' && escape->intermediate_count == 1) {
        char *set = modes->charsets.sets[place < 4 ? place : place - 3];
        set[0] = escape->intermediates[0];
        set[1] = escape->final;
    } else if (escape->intermediates[0] == '#' && escape->final == '8') {
        modes->column = 0;
    }
}

static void plain(struct terminal_modes *modes, const struct escape *escape) {
    if (escape->intermediate_count > 0) {
        designate(modes, escape);
        return;
    }
    switch (escape->final) {
    case '7':
        save_cursor(modes);
        break;
    case '8':
        restore_cursor(modes);
        break;
    case 'c':
        reset(modes);
        break;
    case 'E':
        modes->column = 0;
        break;
    case 'H':
        set_tab(modes, true);
        break;
    case '=':
    case '>':
        add_setting(modes, (struct setting){KEYPAD, 0, (uint16_t)escape->final});
        break;
    case 'n':
    case 'o':
    case '|':
    case '}':
    case '~':
        modes->charsets.shift = escape->final;
    }
}

static void take_sequence(void *owner, const struct escape *escape) {
    struct terminal_modes *modes = owner;
    bool after_return = modes->after_return;
    modes->after_return = false;
    if (escape->kind == ESCAPE_CSI)
        modes_csi(modes, escape, after_return);
    else if (escape->kind == ESCAPE_OSC)
        osc(modes, escape);
    else
        plain(modes, escape);
}

void terminal_modes_feed(struct terminal_modes *modes, const uint8_t *bytes, size_t length) {
    struct escape_reader reader = {take_control, take_sequence, modes};
    for (size_t at = 0; at < length;) {
        if (escape_at_rest(&modes->parser))
            at += skim(modes, bytes + at, length - at);
        if (at < length)
            at += escape_take(&modes->parser, bytes + at, length - at, &reader);
    }
}
