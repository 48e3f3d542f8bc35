#include "trace.h"
#include "loop.h"

#include <fcntl.h>
#include <stdio.h>

static int trace_fd = -1;

void trace_open(const char *path) {
    trace_fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

uint64_t trace(const char *phase, uint64_t since) {
    uint64_t now = now_us();
    if (trace_fd >= 0) {
        dprintf(trace_fd, "%s %llu\n", phase, (unsigned long long)(now - since));
    }
    return now;
}
