#include "lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A client that asks and does not read is cut off. */
enum { MOST_UNREAD = 65536 };

struct connection *lines_opened(void (*line)(struct lines *lines, char *line)) {
    struct lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL)
        return NULL;
    lines->line = line;
    return &lines->connection;
}

static void one_line(struct lines *lines, size_t length, size_t end) {
    char *text = (char *)buffer_bytes(&lines->in);
    text[length] = '\0';
    if (!lines->skipping)
        lines->line(lines, text);
    lines->skipping = false;
    buffer_take(&lines->in, end);
}

/* False when it has not arrived whole. */
static bool take_text(struct lines *lines) {
    void (*text)(struct lines *, char *, size_t) = lines->text;
    if (buffer_length(&lines->in) < lines->text_length)
        return false;
    lines->text = NULL;
    text(lines, (char *)buffer_bytes(&lines->in), lines->text_length);
    buffer_take(&lines->in, lines->text_length);
    return true;
}

static bool take_line(struct lines *lines) {
    size_t held = buffer_length(&lines->in);
    const uint8_t *newline = held == 0 ? NULL : memchr(buffer_bytes(&lines->in), '\n', held);
    if (newline == NULL)
        return false;
    size_t at = (size_t)(newline - buffer_bytes(&lines->in));
    one_line(lines, at, at + 1);
    return true;
}

void lines_data(struct connection *connection, const uint8_t *bytes, size_t length) {
    struct lines *lines = (struct lines *)connection;
    stream_consumed(connection->stream, length);
    if (lines->ended || !buffer_put(&lines->in, bytes, length))
        return;
    while (!lines->ended && (lines->text != NULL ? take_text(lines) : take_line(lines)))
        continue;
    if (lines->ended)
        buffer_free(&lines->in);
    if (lines->text == NULL && buffer_length(&lines->in) > LONGEST_LINE) {
        if (!lines->skipping)
            lines->line(lines, NULL);
        lines->skipping = true;
        buffer_take(&lines->in, buffer_length(&lines->in));
    }
}

void lines_finished(struct connection *connection) {
    struct lines *lines = (struct lines *)connection;
    size_t length = buffer_length(&lines->in);
    if (length > 0 && lines->text == NULL && buffer_put(&lines->in, "", 1))
        one_line(lines, length, length + 1);
    lines_end(lines);
}

void lines_writable(struct connection *connection) {
    struct lines *lines = (struct lines *)connection;
    size_t length = buffer_length(&lines->out);
    if (length > 0)
        buffer_take(&lines->out, stream_send(connection->stream, buffer_bytes(&lines->out), length));
    if (lines->ended && buffer_length(&lines->out) == 0)
        stream_finish(connection->stream);
}

void lines_expect(struct lines *lines, size_t length,
                  void (*text)(struct lines *lines, char *text, size_t length)) {
    lines->text_length = length;
    lines->text = text;
}

void lines_end(struct lines *lines) {
    lines->ended = true;
    lines_writable(&lines->connection);
}

void lines_gone(struct connection *connection) {
    struct lines *lines = (struct lines *)connection;
    buffer_free(&lines->in);
    buffer_free(&lines->out);
    free(lines);
}

void lines_answer(struct lines *lines, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || buffer_length(&lines->out) > MOST_UNREAD)
        return;
    buffer_put(&lines->out, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
    lines_writable(&lines->connection);
}
