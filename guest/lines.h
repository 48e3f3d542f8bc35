/* A connection that is read line by line. */
#ifndef MACHINEN_LINES_H
#define MACHINEN_LINES_H

#include "agent.h"
#include "buffer.h"

enum { LONGEST_LINE = 65536 };

struct lines {
    struct connection connection;
    struct buffer in, out;
    bool skipping; /* the rest of a line that was too long */
    /* `line` has no newline; NULL stands for one that was too long. Called at the end too, with the
     * last line when it has no newline. */
    void (*line)(struct lines *lines, char *line);
};

struct connection *lines_opened(void (*line)(struct lines *lines, char *line));
void lines_data(struct connection *connection, const uint8_t *bytes, size_t length);
void lines_finished(struct connection *connection);
void lines_writable(struct connection *connection);
void lines_gone(struct connection *connection);
void lines_answer(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
