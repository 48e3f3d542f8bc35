#include "save.h"
#include "bundle.h"
#include "files.h"
#include "request.h"

#include <stdio.h>
#include <string.h>

/* With `hold`, whoever started us decides what becomes of the machine once its bundle is registered. */
static bool obey(int connection, struct error *error) {
    char line[32];
    if (!write_all(1, "saved\n", 6)) {
        return fail(error, "SAVE_ABANDONED", "nobody reads standard output");
    }
    if (!fgets(line, sizeof line, stdin) || (strcmp(line, "quit\n") != 0 && strcmp(line, "release\n") != 0)) {
        return fail(error, "SAVE_ABANDONED", "expected 'quit' or 'release'; the machine runs on");
    }
    return request_simple(connection, line, error);
}

int save(const char *control_path, const char *directory, bool hold) {
    struct captured captured;
    struct error error;
    int connection = -1;
    bool ok = request_capture(control_path, hold, &connection, &captured, &error);
    if (ok) {
        ok = bundle_write(directory, &captured, &error);
        captured_close(&captured);
    }
    ok = ok && (!hold || obey(connection, &error));
    close_fd(&connection);
    if (!ok) {
        report(&error);
    }
    return ok ? 0 : 1;
}
