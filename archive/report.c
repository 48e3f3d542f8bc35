#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SHOWN = 20, LONGEST_SHOWN = 512 };

static unsigned long failures;
static bool stopped;

void report_begin(void) {
    failures = 0;
    stopped = false;
}

/* The head of a long path says where it is. */
static void say(const char *path, const char *message) {
    char text[LONGEST_SHOWN * 4 + 8];
    size_t at = 0;
    for (size_t i = 0; path[i] != '\0'; i++) {
        if (i == LONGEST_SHOWN) {
            at += (size_t)sprintf(text + at, "...");
            break;
        }
        unsigned char byte = (unsigned char)path[i];
        if (byte < ' ' || byte == 0x7f || byte == '\\')
            at += (size_t)sprintf(text + at, "\\%03o", byte);
        else
            text[at++] = (char)byte;
    }
    text[at] = '\0';
    dprintf(STDERR_FILENO, "%s: %s\n", text, message);
}

void report(const char *path, const char *message) {
    if (failures++ < MOST_SHOWN)
        say(path, message);
}

void report_stop(const char *path, const char *message) {
    if (!stopped)
        say(path, message);
    stopped = true;
}

int report_end(void) {
    if (failures > MOST_SHOWN)
        dprintf(STDERR_FILENO, "and %lu more\n", failures - MOST_SHOWN);
    return stopped ? EXIT_STOPPED : failures > 0 ? EXIT_SOME_FAILED : EXIT_COMPLETE;
}
