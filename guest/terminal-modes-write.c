/* Modes as the bytes that bring a fresh terminal into them. */
#include "terminal-modes.h"

#include <string.h>

static void write_settings(const struct terminal_modes *modes, struct text_out *out) {
    for (unsigned i = 0; i < modes->setting_count; i++) {
        const struct setting *setting = &modes->settings[i];
        switch (setting->kind) {
        case PRIVATE_MODE:
        case ANSI_MODE:
            text_put(out, "\033[%s%u%c", setting->kind == PRIVATE_MODE ? "?" : "", setting->number,
                     setting->value ? 'h' : 'l');
            break;
        case KEYPAD:
            text_put(out, "\033%c", setting->value);
            break;
        case CURSOR_STYLE:
            text_put(out, "\033[%u q", setting->value);
            break;
        case KEY_FORMAT:
            text_put(out, "\033[>%u;%um", setting->number, setting->value);
            break;
        case SOFT_RESET:
            text_put(out, "\033[!p");
        }
    }
}

static bool is_default(const struct charsets *charsets) {
    static const struct charsets none;
    return memcmp(charsets, &none, sizeof none) == 0;
}

static void write_charsets(const struct charsets *charsets, struct text_out *out) {
    static const char *const defaults[] = {"(B", ")B", "*B", "+B"};
    for (int i = 0; i < 4; i++)
        text_put(out, "\033%s", charsets->sets[i][0] ? charsets->sets[i] : defaults[i]);
    if (charsets->shift == 0)
        text_put(out, "\017");
    else
        text_put(out, charsets->shift < 0x20 ? "%c" : "\033%c", charsets->shift);
}

static void write_screen(const struct terminal_screen *screen, unsigned cols, struct text_out *out) {
    if (screen->tabs_changed) {
        text_put(out, "\033[3g");
        for (unsigned column = 0; column < TAB_COLUMNS && column < cols; column++)
            if (screen->tabs[column / 8] & 1u << column % 8)
                text_put(out, "\033[%uG\033H", column + 1);
        text_put(out, "\r");
    }
    for (int i = 0; i < screen->keyboard_count; i++)
        text_put(out, "\033[>%uu", screen->keyboards[i]);
    if (screen->bottom != 0)
        text_put(out, "\033[%u;%ur", screen->top, screen->bottom);
    else if (screen->top != 0)
        text_put(out, "\033[%ur", screen->top);
    if (screen->saved.set) {
        pen_write(&screen->saved.pen, out);
        write_charsets(&screen->saved.charsets, out);
        text_put(out, "\0337");
    }
}

static bool is_plain(const struct terminal_screen *screen) {
    return !screen->saved.set && screen->keyboard_count == 0;
}

static void write_titles(const struct terminal_modes *modes, struct text_out *out) {
    for (unsigned i = 0; i < modes->title_count; i++)
        text_put(out, "\033]2;%s\033\\\033[22;2t", modes->titles[i]);
    if (modes->title_count > 0 || modes->title[0] != '\0')
        text_put(out, "\033]2;%s\033\\", modes->title);
}

void terminal_modes_write(const struct terminal_modes *modes, struct text_out *out) {
    const struct terminal_screen *main = &modes->screens[0], *alternate = &modes->screens[1];
    bool saved = main->saved.set || alternate->saved.set;
    write_settings(modes, out);
    write_screen(main, modes->cols, out);
    if (modes->alternate != 0)
        text_put(out, "\033[?%uh", modes->alternate);
    else if (!is_plain(alternate))
        text_put(out, "\033[?1047h");
    write_screen(alternate, modes->cols, out);
    if (modes->alternate == 0 && !is_plain(alternate))
        text_put(out, "\033[?1047l");
    if (saved || !is_default(&modes->charsets))
        write_charsets(&modes->charsets, out);
    if (saved || !pen_is_default(&modes->pen))
        pen_write(&modes->pen, out);
    write_titles(modes, out);
}
