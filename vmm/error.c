#include "error.h"

#include <stdarg.h>
#include <stdio.h>

bool fail(struct error *error, const char *code, const char *format, ...) {
    va_list arguments;
    snprintf(error->code, sizeof error->code, "%s", code);
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    for (char *c = error->message; *c; c++) {
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
    return false;
}

void report(const struct error *error) {
    dprintf(2, "%s: %s\n", error->code, error->message);
}
