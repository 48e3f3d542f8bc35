#include "terminal-pen.h"

enum { OVERLINE = 10 };

static void set(struct pen *pen, unsigned bit, bool on) {
    pen->attributes = (uint16_t)(on ? pen->attributes | 1u << bit : pen->attributes & ~(1u << bit));
}

static struct pen_colour of_16(unsigned number) {
    return (struct pen_colour){.kind = COLOUR_OF_16, .value = {(uint8_t)number}};
}

static struct pen_colour of_256(unsigned number) {
    return (struct pen_colour){.kind = COLOUR_OF_256, .value = {(uint8_t)number}};
}

static struct pen_colour rgb(const unsigned *value) {
    return (struct pen_colour){COLOUR_RGB, {(uint8_t)value[0], (uint8_t)value[1], (uint8_t)value[2]}};
}

/* 38, 48 and 58: by colons `38:5:n`, `38:2:<space>:r:g:b`, by semicolons `38;5;n`, `38;2;r;g;b`. Gives
 * the number of parameters behind `at` that belong to it. */
static unsigned take_colour(const struct escape *sgr, unsigned at, struct pen_colour *colour) {
    unsigned value[6] = {0}, count = 0, left = sgr->parameter_count - at - 1;
    const unsigned *after = sgr->parameters + at + 1;
    bool colons = left > 0 && sgr->sub[at + 1];
    while (count < left && count < 6 && sgr->sub[at + 1 + count] == colons) {
        value[count] = after[count];
        count++;
    }
    if (value[0] == 5 && count > 1)
        *colour = of_256(value[1]);
    if (value[0] == 2 && count > 3)
        *colour = rgb(value + (colons ? 2 : 1));
    if (colons)
        return count;
    unsigned most = value[0] == 5 ? 2 : 4;
    return count < most ? count : most;
}

static void set_attribute(struct pen *pen, unsigned number) {
    if (number == 53 || number == 55)
        set(pen, OVERLINE, number == 53);
    else if (number == 22)
        pen->attributes &= (uint16_t) ~(1u << 1 | 1u << 2);
    else if (number >= 23 && number <= 29 && number != 24)
        set(pen, number - 20, false);
    else if (number < 10)
        set(pen, number, true);
}

static void set_colour(struct pen *pen, unsigned number) {
    if (number >= 30 && number < 38)
        pen->foreground = of_16(number - 30);
    else if (number >= 90 && number < 98)
        pen->foreground = of_16(number - 90 + 8);
    else if (number >= 40 && number < 48)
        pen->background = of_16(number - 40);
    else if (number >= 100 && number < 108)
        pen->background = of_16(number - 100 + 8);
    else if (number == 39)
        pen->foreground = (struct pen_colour){0};
    else if (number == 49)
        pen->background = (struct pen_colour){0};
    else if (number == 59)
        pen->underline_colour = (struct pen_colour){0};
}

void pen_change(struct pen *pen, const struct escape *sgr) {
    for (unsigned at = 0; at < sgr->parameter_count; at++) {
        unsigned number = sgr->parameters[at];
        bool styled = at + 1 < sgr->parameter_count && sgr->sub[at + 1];
        if (sgr->sub[at])
            continue;
        if (number == 0)
            *pen = (struct pen){0};
        else if (number == 4)
            pen->underline = !styled                         ? 1
                             : sgr->parameters[at + 1] <= 5 ? (uint8_t)sgr->parameters[at + 1]
                                                            : 1;
        else if (number == 21 || number == 24)
            pen->underline = number == 21 ? 2 : 0;
        else if (number == 38)
            at += take_colour(sgr, at, &pen->foreground);
        else if (number == 48)
            at += take_colour(sgr, at, &pen->background);
        else if (number == 58)
            at += take_colour(sgr, at, &pen->underline_colour);
        else if (number >= 30 && number != 53 && number != 55)
            set_colour(pen, number);
        else
            set_attribute(pen, number);
    }
}

bool pen_is_default(const struct pen *pen) {
    return pen->attributes == 0 && pen->underline == 0 && pen->foreground.kind == COLOUR_DEFAULT &&
           pen->background.kind == COLOUR_DEFAULT && pen->underline_colour.kind == COLOUR_DEFAULT;
}

static void write_colour(const struct pen_colour *colour, unsigned number, struct text_out *out) {
    const uint8_t *value = colour->value;
    if (colour->kind == COLOUR_OF_16)
        text_put(out, ";%u", number - 8 + value[0] + (value[0] < 8 ? 0 : 60 - 8));
    else if (colour->kind == COLOUR_OF_256)
        text_put(out, ";%u:5:%u", number, value[0]);
    else if (colour->kind == COLOUR_RGB)
        text_put(out, ";%u:2::%u:%u:%u", number, value[0], value[1], value[2]);
}

void pen_write(const struct pen *pen, struct text_out *out) {
    text_put(out, "\033[0");
    for (unsigned number = 1; number <= 9; number++)
        if (pen->attributes & 1u << number)
            text_put(out, ";%u", number);
    if (pen->attributes & 1u << OVERLINE)
        text_put(out, ";53");
    if (pen->underline)
        text_put(out, ";4:%u", pen->underline);
    write_colour(&pen->foreground, 38, out);
    write_colour(&pen->background, 48, out);
    write_colour(&pen->underline_colour, 58, out);
    text_put(out, "m");
}
