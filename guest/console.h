/* The machine's console: the command that runs on it, and what PID 1 has to say. */
#ifndef MACHINEN_CONSOLE_H
#define MACHINEN_CONSOLE_H

#include <stdbool.h>

/* The terminal device behind /dev/console. */
const char *console_path(void);
/* The agent alone has no console of its own: commands get this instead. */
void console_use(const char *device);
/* One line, prefixed with `machinen: `. */
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Start the machine's command; the machine powers off when it ends. */
bool console_run(char *const *arguments);

#endif
