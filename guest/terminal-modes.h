/* The modes a program has left its terminal in, kept from the bytes it wrote, so that they can be
 * restored where those bytes are gone. As a pane's terminal keeps them: scroll region, tab stops,
 * saved cursor and kitty keyboard flags belong to one of the two screens, everything else to both. */
#ifndef MACHINEN_TERMINAL_MODES_H
#define MACHINEN_TERMINAL_MODES_H

#include "escape-parser.h"
#include "terminal-pen.h"
#include "text-out.h"

enum {
    MOST_SETTINGS = 48,
    MOST_KEYBOARDS = 16,
    MOST_TITLES = 10,
    TAB_COLUMNS = 512,
    MODES_TEXT_BYTES = 16 * 1024, /* more than they can ever take */
};

/* Of those that are the same the last one counts, and those that exclude each other are kept in
 * order, so a terminal that gets them in this order ends as the first one did. */
struct setting {
    enum { PRIVATE_MODE, ANSI_MODE, KEYPAD, CURSOR_STYLE, KEY_FORMAT, SOFT_RESET } kind;
    uint16_t number, value;
};

struct charsets {
    char sets[4][3]; /* as they were designated: "(0"; empty: the default */
    char shift;      /* the control that chose one of them, or 0 */
};

struct terminal_screen {
    uint16_t top, bottom; /* scroll region from 1; 0: all */
    uint8_t tabs[TAB_COLUMNS / 8];
    bool tabs_changed;
    struct {
        bool set;
        struct pen pen;
        struct charsets charsets;
    } saved;
    uint8_t keyboards[MOST_KEYBOARDS]; /* the newest last */
    uint8_t keyboard_count;
};

struct terminal_modes {
    struct escape_parser parser;
    struct setting settings[MOST_SETTINGS]; /* the newest last */
    unsigned setting_count;
    struct terminal_screen screens[2]; /* main, alternate */
    uint16_t alternate;                /* the mode that switched to it: 47, 1047, 1049; or 0 */
    struct pen pen;
    struct charsets charsets;
    char title[MOST_STRING], titles[MOST_TITLES][MOST_STRING];
    unsigned title_count;
    /* Of the cursor where it is known, else -1: tab stops are set by it. Followed only in a line in
     * which some have been cleared, which is how it is begun. */
    int column;
    bool follows_column, after_return;
    unsigned cols;
};

void terminal_modes_init(struct terminal_modes *modes, unsigned cols);
void terminal_modes_feed(struct terminal_modes *modes, const uint8_t *bytes, size_t length);
/* The terminal was given another size, which undoes scroll regions. */
void terminal_modes_resize(struct terminal_modes *modes, unsigned cols);
/* What brings a fresh terminal into these modes. */
void terminal_modes_write(const struct terminal_modes *modes, struct text_out *out);

#endif
