#include "text-out.h"

#include <stdarg.h>
#include <stdio.h>

void text_put(struct text_out *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t left = out->size - out->length;
    int length = vsnprintf(out->bytes + out->length, left, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < left)
        out->length += (size_t)length;
}
