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
    bool ended;    /* by us: what comes is dropped */
    size_t text_length;
    void (*text)(struct lines *lines, char *text, size_t length); /* instead of the next line */
    /* `line` has no newline; NULL stands for one that was too long. Called at the end too, with the
     * last line when it has no newline. */
    void (*line)(struct lines *lines, char *line);
};

struct connection *lines_opened(void (*line)(struct lines *lines, char *line));
void lines_data(struct connection *connection, const uint8_t *bytes, size_t length);
void lines_finished(struct connection *connection);
void lines_writable(struct connection *connection);
void lines_gone(struct connection *connection);
/* To be called by `line`: the next so many bytes are one text, not lines. */
void lines_expect(struct lines *lines, size_t length,
                  void (*text)(struct lines *lines, char *text, size_t length));
/* Answer no more; the stream is finished when the answers have gone out. */
void lines_end(struct lines *lines);
void lines_answer(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
