/* Text written into a buffer of fixed size; what does not fit is left out whole. */
#ifndef MACHINEN_TEXT_OUT_H
#define MACHINEN_TEXT_OUT_H

#include <stddef.h>

struct text_out {
    char *bytes;
    size_t length, size;
};

void text_put(struct text_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
