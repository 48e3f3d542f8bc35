#include "client.h"

#include "frame.h"
#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void flush(struct client *client) {
    size_t length = buffer_length(&client->out);
    if (length > 0)
        buffer_take(&client->out,
                    stream_send(client->connection.stream, buffer_bytes(&client->out), length));
    if (client->phase == CLIENT_ENDED && buffer_length(&client->out) == 0)
        stream_finish(client->connection.stream);
}

static bool send_bytes(struct client *client, const void *bytes, size_t length) {
    size_t sent = 0;
    if (client->phase == CLIENT_ENDED)
        return false;
    if (buffer_length(&client->out) == 0)
        sent = stream_send(client->connection.stream, bytes, length);
    if (sent == length)
        return true;
    if (!buffer_put(&client->out, (const uint8_t *)bytes + sent, length - sent)) {
        /* Out of memory: an end without `X` tells the client that something is missing. */
        buffer_free(&client->out);
        client->phase = CLIENT_ENDED;
        stream_finish(client->connection.stream);
    }
    return false;
}

bool client_is_writable(const struct client *client) {
    return buffer_length(&client->out) == 0;
}

bool client_send_in_place(struct client *client, char type, uint8_t *bytes, size_t length) {
    char header[FRAME_ROOM];
    size_t size = (size_t)snprintf(header, sizeof header, "%c %zu\n", type, length);
    memcpy(bytes - size, header, size);
    return send_bytes(client, bytes - size, size + length);
}

bool client_send(struct client *client, char type, const void *bytes, size_t length) {
    static uint8_t frame[FRAME_ROOM + FRAME_BYTES];
    memcpy(frame + FRAME_ROOM, bytes, length);
    return client_send_in_place(client, type, frame + FRAME_ROOM, length);
}

bool client_line(struct client *client, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof text - 2)
        length = sizeof text - 2;
    text[length++] = '\n';
    return send_bytes(client, text, (size_t)length);
}

static void end(struct client *client) {
    client->phase = CLIENT_ENDED;
    client->job = NULL;
    flush(client);
}

void client_exit(struct client *client, int code) {
    client_line(client, "X %d", code);
    end(client);
}

void client_refuse(struct client *client, const char *code, const char *message) {
    client_line(client, "! %s %s", code, message);
    end(client);
}

void client_attach(struct client *client, const struct job *job, void *state) {
    client->phase = CLIENT_RUNS;
    client->job = job;
    client->job_state = state;
}

static void took(struct client *client, size_t length) {
    size_t count = length < client->owed ? length : client->owed;
    buffer_take(&client->in, length);
    client->owed -= count;
    stream_consumed(client->connection.stream, count);
}

static void bad_frame(struct client *client) {
    const struct job *job = client->job;
    client_refuse(client, "BAD_FRAME", "malformed frame");
    job->gone(client->job_state);
}

static void take_frame(struct client *client, const struct frame *frame) {
    switch (frame->type) {
    case 'I':
        client->input_left = frame->value[0];
        break;
    case 'C':
        client->job->end_input(client->job_state);
        break;
    case 'R':
        client->job->resize(client->job_state, frame->value[0], frame->value[1]);
        break;
    default:
        client->job->signal(client->job_state, (int)frame->value[0]);
    }
}

/* False when nothing more can be done with what has arrived. */
static bool take_some(struct client *client) {
    size_t held = buffer_length(&client->in);
    if (client->input_left > 0) {
        size_t count = held < client->input_left ? held : client->input_left;
        size_t taken = client->job->input(client->job_state, buffer_bytes(&client->in), count);
        client->input_left -= taken;
        took(client, taken);
        return taken > 0;
    }
    struct frame frame;
    ssize_t length = parse_frame(buffer_bytes(&client->in), held, &frame);
    if (length < 0)
        bad_frame(client);
    if (length <= 0)
        return false;
    took(client, (size_t)length);
    take_frame(client, &frame);
    return true;
}

void client_resume(struct client *client) {
    if (client->parsing)
        return;
    client->parsing = true;
    if (client->phase == CLIENT_REQUEST)
        request_parse(client);
    while (client->phase == CLIENT_RUNS && buffer_length(&client->in) > 0 && take_some(client))
        continue;
    if (client->phase == CLIENT_RUNS && client->input_ended && buffer_length(&client->in) == 0) {
        client->input_ended = false;
        client->job->end_input(client->job_state);
    }
    if (client->phase == CLIENT_ENDED)
        took(client, buffer_length(&client->in));
    client->parsing = false;
}

/* A request may be larger than the window, so its bytes are given back at once; the request's own
 * limit bounds it. Afterwards the window bounds what a command has not read yet. */
static void data(struct connection *connection, const uint8_t *bytes, size_t length) {
    struct client *client = (struct client *)connection;
    if (client->phase == CLIENT_ENDED || !buffer_put(&client->in, bytes, length)) {
        stream_consumed(connection->stream, length);
        return;
    }
    if (client->phase == CLIENT_REQUEST)
        stream_consumed(connection->stream, length);
    else
        client->owed += length;
    client_resume(client);
}

static void finished(struct connection *connection) {
    struct client *client = (struct client *)connection;
    client->input_ended = true;
    client_resume(client);
    if (client->phase == CLIENT_REQUEST)
        client_refuse(client, "BAD_REQUEST", "the request ended early");
}

static void writable(struct connection *connection) {
    struct client *client = (struct client *)connection;
    flush(client);
    if (client_is_writable(client) && client->phase == CLIENT_RUNS)
        client->job->writable(client->job_state);
}

static void gone(struct connection *connection) {
    struct client *client = (struct client *)connection;
    if (client->job != NULL)
        client->job->gone(client->job_state);
    buffer_free(&client->in);
    buffer_free(&client->out);
    free(client);
}

static struct connection *opened(struct stream *stream) {
    (void)stream;
    struct client *client = calloc(1, sizeof *client);
    return client == NULL ? NULL : &client->connection;
}

const struct service client_service = {1978, opened, data, finished, writable, gone};
const struct service files_service = {1976, opened, data, finished, writable, gone};
