/* What the parts of terminal-modes*.c share. */
#ifndef MACHINEN_TERMINAL_MODES_INTERNAL_H
#define MACHINEN_TERMINAL_MODES_INTERNAL_H

#include "terminal-modes.h"

static inline struct terminal_screen *active_screen(struct terminal_modes *modes) {
    return &modes->screens[modes->alternate != 0];
}

/* terminal-modes-column.c: where the cursor is in its line. */
void column_byte(struct terminal_modes *modes, uint8_t byte);
void column_csi(struct terminal_modes *modes, const struct escape *csi);
void reset_tabs(struct terminal_screen *screen);
void set_tab(struct terminal_modes *modes, bool on);

/* terminal-modes-skim.c: passes over what leaves nothing behind; gives the place of what may. */
size_t skim(struct terminal_modes *modes, const uint8_t *bytes, size_t length);

/* terminal-modes.c */
void take_control(void *modes, uint8_t byte);

/* terminal-modes-csi.c */
void modes_csi(struct terminal_modes *modes, const struct escape *csi, bool after_return);
void add_setting(struct terminal_modes *modes, struct setting setting);
void save_cursor(struct terminal_modes *modes);
void restore_cursor(struct terminal_modes *modes);

#endif
