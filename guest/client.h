/* Ports 1978 and 1976: one request per stream, then frames both ways. Parsing and framing only; what a
 * request asks for is a job (exec.c, session.c). */
#ifndef MACHINEN_CLIENT_H
#define MACHINEN_CLIENT_H

#include "agent.h"
#include "buffer.h"

#include <sys/types.h>

extern const struct service client_service; /* request.c */
extern const struct service files_service;  /* files.c */

/* The most payload of one frame: with its header it fills four link frames. */
enum { FRAME_ROOM = 16, FRAME_BYTES = 4 * LINK_MAX_DATA - FRAME_ROOM };

struct job {
    /* Takes what it can now; client_resume() when it can take more. */
    size_t (*input)(void *job, const uint8_t *bytes, size_t length);
    void (*end_input)(void *job);
    void (*resize)(void *job, unsigned cols, unsigned rows);
    void (*signal)(void *job, int signal);
    /* client_send() returned false, and may be called again now. */
    void (*writable)(void *job);
    /* The client went away. */
    void (*gone)(void *job);
};

struct client {
    struct connection connection;
    struct buffer in, out;
    size_t owed;       /* received and not yet given back to the window */
    size_t input_left; /* of the `I` frame in progress */
    enum { CLIENT_REQUEST, CLIENT_RUNS, CLIENT_ENDED } phase;
    bool input_ended, parsing;
    const struct job *job;
    void *job_state;
};

void client_attach(struct client *client, const struct job *job, void *state);
/* False: the stream is full; send nothing more until `writable`. Nothing is lost. */
bool client_send(struct client *client, char type, const void *bytes, size_t length);
/* The same without a copy: the FRAME_ROOM bytes before `bytes` are there to be overwritten. */
bool client_send_in_place(struct client *client, char type, uint8_t *bytes, size_t length);
/* A line of its own, e.g. "A 12". */
bool client_line(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool client_is_writable(const struct client *client);
/* Last: `X <code>`. The job is over for this client. */
void client_exit(struct client *client, int code);
/* Last: `! <code> <message>`. */
void client_refuse(struct client *client, const char *code, const char *message);
void client_resume(struct client *client);

#endif
