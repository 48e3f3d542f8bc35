#include "save.h"
#include "bundle.h"
#include "fault.h"
#include "files.h"
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
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
    if (!fault_choose(getenv("MACHINEN_FAULT"), &error)) {
        report(&error);
        return 1;
    }
    int connection = request_connect(control_path, &error);
    bool ok = connection >= 0 && request_capture(connection, hold ? "capture hold\n" : "capture\n", &captured, &error);
    if (ok) {
        fault(SAVE_CAPTURED);
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
