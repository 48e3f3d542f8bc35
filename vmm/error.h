/* One way to say what went wrong: a stable code and a sentence. */
#ifndef MACHINEN_ERROR_H
#define MACHINEN_ERROR_H

#include <stdbool.h>

struct error {
    char code[32];
    char message[320];
};

/* Fills `error` and returns false, so that `return fail(...)` reads well. */
bool fail(struct error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One line `CODE: message` on stderr. */
void report(const struct error *error);

#endif
