#include "winsize.h"

#include "console.h"
#include "lines.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LARGEST = 10000 };

static bool parse_length(const char **text, unsigned *value) {
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    unsigned long number = strtoul(*text, &end, 10);
    *text = end;
    *value = (unsigned)number;
    return number >= 1 && number <= LARGEST;
}

bool parse_size(const char *text, unsigned *cols, unsigned *rows) {
    return parse_length(&text, cols) && *text++ == ' ' && parse_length(&text, rows) && *text == '\0';
}

bool set_terminal_size(int fd, unsigned cols, unsigned rows) {
    struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};
    return ioctl(fd, TIOCSWINSZ, &size) == 0;
}

static void line(struct lines *lines, char *text) {
    unsigned cols, rows;
    (void)lines;
    if (text == NULL || !parse_size(text, &cols, &rows))
        return;
    int fd = open(console_path(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    set_terminal_size(fd, cols, rows);
    close(fd);
}

static struct connection *opened(struct stream *stream) {
    (void)stream;
    return lines_opened(line);
}

const struct service winsize_service = {1974, opened, lines_data, lines_finished, lines_writable, lines_gone};
