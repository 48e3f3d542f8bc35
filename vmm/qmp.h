/* QEMU's control protocol: one command at a time, answered before the call returns. */
#ifndef MACHINEN_QMP_H
#define MACHINEN_QMP_H

#include "error.h"
#include "json.h"

struct qmp {
    int fd;
    char *buffer;
    size_t length, used;
    char version[24];
    void (*event)(const char *name, struct json data);
};

/* Greeting and capabilities. `event` may be called inside every function here. */
bool qmp_open(struct qmp *qmp, int fd, void (*event)(const char *name, struct json data), struct error *error);
/*
 * Sends a command (printf-style JSON) and waits for its result, which stays valid until the next
 * call. `pass` is a descriptor to hand over with it, or -1. `result` may be NULL.
 */
bool qmp_command(struct qmp *qmp, int pass, struct json *result, struct error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Waits for something to arrive without being asked for, and handles it. */
bool qmp_wait_event(struct qmp *qmp, int timeout_ms, struct error *error);
/* Handles what has arrived without being asked for. False when QEMU closed the connection. */
bool qmp_read_events(struct qmp *qmp);

#endif
