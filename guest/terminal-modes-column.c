/* The cursor's column, as far as it follows from the bytes alone, and the tab stops set by it. */
#include "terminal-modes-internal.h"

#include <string.h>

static bool has_tab(const struct terminal_screen *screen, int column) {
    return screen->tabs[column / 8] & 1u << column % 8;
}

void reset_tabs(struct terminal_screen *screen) {
    memset(screen->tabs, 1, sizeof screen->tabs); /* every eighth column */
    screen->tabs_changed = false;
}

void set_tab(struct terminal_modes *modes, bool on) {
    if (!modes->follows_column || modes->column < 0 || modes->column >= TAB_COLUMNS)
        return;
    struct terminal_screen *screen = active_screen(modes);
    uint8_t bit = (uint8_t)(1u << modes->column % 8), *byte = &screen->tabs[modes->column / 8];
    *byte = on ? *byte | bit : *byte & (uint8_t)~bit;
    screen->tabs_changed = true;
}

/* At the end of a line it depends on more than is known here whether the next character wraps. */
static void move_to(struct terminal_modes *modes, int column) {
    modes->column = column < (int)modes->cols && column < TAB_COLUMNS ? column : -1;
}

static void stay_within(struct terminal_modes *modes, int column) {
    int last = modes->cols < TAB_COLUMNS ? (int)modes->cols - 1 : -1;
    modes->column = column < last || last < 0 ? column : last;
    if (modes->column >= TAB_COLUMNS)
        modes->column = -1;
}

static void tab(struct terminal_modes *modes) {
    const struct terminal_screen *screen = active_screen(modes);
    int column = modes->column + 1;
    while (column < TAB_COLUMNS && !has_tab(screen, column))
        column++;
    stay_within(modes, column);
}

void column_byte(struct terminal_modes *modes, uint8_t byte) {
    if (byte == '\n')
        modes->follows_column = false;
    else if (byte == '\r')
        modes->column = 0;
    else if (modes->column < 0)
        return;
    else if (byte >= 0x80)
        modes->column = -1;
    else if (byte >= 0x20 && byte < 0x7f)
        move_to(modes, modes->column + 1);
    else if (byte == '\t')
        tab(modes);
    else if (byte == '\b' && modes->column > 0)
        modes->column--;
}

void column_csi(struct terminal_modes *modes, const struct escape *csi) {
    unsigned first = csi->parameters[0], second = csi->parameter_count > 1 ? csi->parameters[1] : 0;
    int count = first == 0 ? 1 : (int)first;
    switch (csi->final) {
    case 'H':
    case 'f':
        stay_within(modes, second == 0 ? 0 : (int)second - 1);
        break;
    case 'G':
    case '`':
        stay_within(modes, count - 1);
        break;
    case 'C':
    case 'a':
        if (modes->column >= 0)
            stay_within(modes, modes->column + count);
        break;
    case 'D':
        if (modes->column >= 0)
            modes->column = modes->column > count ? modes->column - count : 0;
        break;
    case 'E':
    case 'F':
        modes->column = 0;
        break;
    case 'I':
    case 'Z':
    case 'b':
    case 'u':
        modes->column = -1;
    }
}
