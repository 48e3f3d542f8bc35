/* The CSI sequences that leave something behind. */
#include "terminal-modes-internal.h"

#include <string.h>

/* The same settings: one of each is kept, and of the settings of one kind one of each number. */
void add_setting(struct terminal_modes *modes, struct setting setting) {
    struct setting *list = modes->settings;
    unsigned at = modes->setting_count;
    while (at > 0 && (list[at - 1].kind != setting.kind || list[at - 1].number != setting.number))
        at--;
    if (at > 0)
        at--;
    else if (modes->setting_count < MOST_SETTINGS)
        at = modes->setting_count++;
    memmove(list + at, list + at + 1, (modes->setting_count - at - 1) * sizeof *list);
    list[modes->setting_count - 1] = setting;
}

void save_cursor(struct terminal_modes *modes) {
    struct terminal_screen *screen = active_screen(modes);
    screen->saved.set = true;
    screen->saved.pen = modes->pen;
    screen->saved.charsets = modes->charsets;
}

void restore_cursor(struct terminal_modes *modes) {
    const struct terminal_screen *screen = active_screen(modes);
    modes->pen = screen->saved.pen;
    modes->charsets = screen->saved.charsets;
    modes->column = -1;
}

static void switch_screen(struct terminal_modes *modes, unsigned mode, bool alternate) {
    if (alternate && mode == 1049)
        save_cursor(modes);
    if (!alternate && modes->alternate != 0) {
        struct terminal_screen *left = active_screen(modes);
        left->top = left->bottom = 0;
        reset_tabs(left);
    }
    if (!alternate || modes->alternate == 0)
        modes->alternate = alternate ? (uint16_t)mode : 0;
    if (!alternate && mode == 1049)
        restore_cursor(modes);
}

static void private_mode(struct terminal_modes *modes, unsigned mode, bool on) {
    switch (mode) {
    case 2: /* VT52 keys: no terminal of ours */
        if (on)
            memset(modes->charsets.sets, 0, sizeof modes->charsets.sets);
        break;
    case 3: /* 132 columns: resizing is not the program's */
        break;
    case 47:
    case 1047:
    case 1049:
        switch_screen(modes, mode, on);
        break;
    case 1048:
        if (on)
            save_cursor(modes);
        else
            restore_cursor(modes);
        break;
    case 6:
        modes->column = 0;
        /* fall through */
    default:
        add_setting(modes, (struct setting){PRIVATE_MODE, (uint16_t)mode, on});
    }
}

static void set_modes(struct terminal_modes *modes, const struct escape *csi) {
    bool on = csi->final == 'h';
    for (unsigned i = 0; i < csi->parameter_count; i++) {
        unsigned mode = csi->parameters[i];
        if (csi->sub[i])
            continue;
        if (csi->prefix == '?')
            private_mode(modes, mode, on);
        else
            add_setting(modes, (struct setting){ANSI_MODE, (uint16_t)mode, on});
    }
}

static void soft_reset(struct terminal_modes *modes) {
    struct terminal_screen *screen = active_screen(modes);
    screen->top = screen->bottom = 0;
    modes->pen = (struct pen){0};
    modes->charsets = (struct charsets){0};
    memset(&screen->saved, 0, sizeof screen->saved);
    add_setting(modes, (struct setting){.kind = SOFT_RESET});
}

static void scroll_region(struct terminal_modes *modes, const struct escape *csi) {
    struct terminal_screen *screen = active_screen(modes);
    unsigned top = csi->parameters[0] == 0 ? 1 : csi->parameters[0];
    unsigned bottom = csi->parameter_count < 2 ? 0 : csi->parameters[1];
    if (bottom != 0 && bottom <= top)
        return;
    screen->top = (uint16_t)(top == 1 && bottom == 0 ? 0 : top);
    screen->bottom = (uint16_t)bottom;
    modes->column = 0;
}

/* The stack of the kitty keyboard protocol: `>` puts flags on it, `<` takes some off, `=` changes. */
static void keyboard(struct terminal_modes *modes, const struct escape *csi) {
    struct terminal_screen *screen = active_screen(modes);
    uint8_t *flags = screen->keyboards, *count = &screen->keyboard_count;
    unsigned number = csi->parameters[0], how = csi->parameter_count > 1 ? csi->parameters[1] : 1;
    if (csi->prefix == '<') {
        number = number == 0 ? 1 : number;
        *count = (uint8_t)(number < *count ? *count - number : 0);
        return;
    }
    if (csi->prefix == '>' && *count == MOST_KEYBOARDS)
        memmove(flags, flags + 1, --*count);
    if (csi->prefix == '>' || *count == 0)
        flags[(*count)++] = 0;
    uint8_t *top = &flags[*count - 1], known = number & 0x1f;
    *top = how == 2 ? *top | known : how == 3 ? *top & (uint8_t)~known : known;
}

static void title_stack(struct terminal_modes *modes, const struct escape *csi) {
    unsigned what = csi->parameter_count > 1 ? csi->parameters[1] : 0;
    if (what == 1) /* the icon's name */
        return;
    if (csi->parameters[0] == 22) {
        if (modes->title_count == MOST_TITLES)
            memmove(modes->titles[0], modes->titles[1], sizeof modes->titles[0] * --modes->title_count);
        memcpy(modes->titles[modes->title_count++], modes->title, sizeof modes->title);
    } else if (csi->parameters[0] == 23 && modes->title_count > 0) {
        memcpy(modes->title, modes->titles[--modes->title_count], sizeof modes->title);
    }
}

static void clear_tabs(struct terminal_modes *modes, const struct escape *csi, bool after_return) {
    struct terminal_screen *screen = active_screen(modes);
    if (!modes->follows_column)
        modes->column = after_return ? 0 : -1;
    modes->follows_column = true;
    if (csi->parameters[0] == 0) {
        set_tab(modes, false);
    } else if (csi->parameters[0] == 3) {
        memset(screen->tabs, 0, sizeof screen->tabs);
        screen->tabs_changed = true;
    }
}

static void plain_csi(struct terminal_modes *modes, const struct escape *csi, bool after_return) {
    switch (csi->final) {
    case 'h':
    case 'l':
        set_modes(modes, csi);
        break;
    case 'm':
        pen_change(&modes->pen, csi);
        break;
    case 'r':
        scroll_region(modes, csi);
        break;
    case 's':
        save_cursor(modes);
        break;
    case 'u':
        restore_cursor(modes);
        break;
    case 't':
        title_stack(modes, csi);
        break;
    case 'g':
        clear_tabs(modes, csi, after_return);
        break;
    default:
        column_csi(modes, csi);
    }
}

void modes_csi(struct terminal_modes *modes, const struct escape *csi, bool after_return) {
    unsigned first = csi->parameters[0];
    char final = csi->final;
    if (csi->intermediate_count == 0 && csi->prefix == 0) {
        plain_csi(modes, csi, after_return);
    } else if (csi->intermediate_count == 0) {
        if (csi->prefix == '?' && (final == 'h' || final == 'l'))
            set_modes(modes, csi);
        else if (csi->prefix != '?' && final == 'u')
            keyboard(modes, csi);
        else if (csi->prefix == '>' && final == 'm')
            add_setting(modes, (struct setting){KEY_FORMAT, (uint16_t)first,
                                                csi->parameter_count > 1 ? (uint16_t)csi->parameters[1]
                                                                         : 0});
    } else if (csi->intermediate_count == 1 && csi->prefix == 0) {
        if (csi->intermediates[0] == '!' && final == 'p')
            soft_reset(modes);
        else if (csi->intermediates[0] == ' ' && final == 'q')
            add_setting(modes, (struct setting){CURSOR_STYLE, 0, (uint16_t)first});
    }
}
