#include "order.h"
#include "console.h"
#include "files.h"
#include "loop.h"
#include "resume.h"
#include "vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 4096u
#define FOREVER_MS 0x7fffffff

static bool read_order(int source, char *text, struct error *error) {
    size_t length = 0;
    for (;;) {
        char *end;
        if (!wait_either(0, POLLIN, source, FOREVER_MS)) {
            return errno == ECONNRESET ? fail(error, "SOURCE_LOST", "the source machine ended")
                                       : fail(error, "INTERRUPTED", "while it waited for the order to fork");
        }
        size_t room = MAX_RESUME_TEXT + 1 - length;
        ssize_t n = read(0, text + length, room < PIECE ? room : PIECE);
        if (n <= 0) {
            return fail(error, "FORK_ABANDONED", "standard input ended before the order to fork came");
        }
        end = memchr(text + length, '\n', (size_t)n);
        length += (size_t)n;
        if (end) {
            console_type(end + 1, (size_t)(text + length - end - 1));
            return resume_take(text, (size_t)(end - text), error);
        }
        if (length > MAX_RESUME_TEXT) {
            return fail(error, "CONFIG_INVALID", "the order to fork is longer than %u bytes", MAX_RESUME_TEXT);
        }
    }
}

bool order_await(int source, struct error *error) {
    if (!vm.config->fork_wait) {
        return true;
    }
    if (!write_all(1, "ready\n", 6)) {
        return fail(error, "FORK_ABANDONED", "nobody reads standard output");
    }
    char *text = malloc(MAX_RESUME_TEXT + 1);
    bool ok = text ? read_order(source, text, error) : fail(error, "NO_MEMORY", "out of memory");
    free(text);
    return ok;
}
