/* The colours and attributes a terminal writes with: what SGR sequences leave behind. */
#ifndef MACHINEN_TERMINAL_PEN_H
#define MACHINEN_TERMINAL_PEN_H

#include "escape-parser.h"
#include "text-out.h"

struct pen_colour {
    /* Of the 16 those called by a number of their own are not quite the same: bold may brighten them. */
    enum { COLOUR_DEFAULT, COLOUR_OF_16, COLOUR_OF_256, COLOUR_RGB } kind;
    uint8_t value[3]; /* a number is the first */
};

struct pen {
    uint16_t attributes; /* a bit for each SGR number from 1 to 9, but 4, and for 53 */
    uint8_t underline;   /* 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed */
    struct pen_colour foreground, background, underline_colour;
};

/* All zeros is the pen after a reset. */
void pen_change(struct pen *pen, const struct escape *sgr);
bool pen_is_default(const struct pen *pen);
/* From the pen after a reset to this one. */
void pen_write(const struct pen *pen, struct text_out *out);

#endif
