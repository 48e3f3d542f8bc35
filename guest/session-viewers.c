/* Who is attached to a session: their input, what they see, and whose window size counts. */
#include "session-internal.h"

#include "pty.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void session_give_size(struct session *session, struct viewer *viewer) {
    session->owner = viewer;
    if (viewer != NULL)
        session_set_size(session, viewer->cols, viewer->rows);
}

static void remove_viewer(struct viewer *viewer) {
    struct session *session = viewer->session;
    for (struct viewer **at = &session->viewers; *at != NULL; at = &(*at)->next) {
        if (*at == viewer) {
            *at = viewer->next;
            break;
        }
    }
    if (session->owner == viewer) {
        struct viewer *heir = session->viewers;
        while (heir != NULL && heir->only_waits)
            heir = heir->next;
        session_give_size(session, heir);
    }
    free(viewer);
}

void session_serve(struct session *session) {
    for (struct viewer *viewer = session->viewers, *next; viewer != NULL; viewer = next) {
        next = viewer->next;
        viewer_serve(viewer, &session->history, session->cols, session->rows);
        if (session->ended && (viewer->only_waits || viewer->position == session->history.ring.end)) {
            client_exit(viewer->client, viewer->only_waits ? 0 : session->code);
            remove_viewer(viewer);
        }
    }
    if (session->ended && session->viewers == NULL)
        session_free(session);
    else
        session_update_watch(session);
}

static size_t take_input(void *job, const uint8_t *bytes, size_t length) {
    struct viewer *viewer = job;
    struct session *session = viewer->session;
    if (session->ended || viewer->only_waits)
        return length;
    session_give_size(session, viewer);
    ssize_t count = write(session->master.fd, bytes, length);
    if (count >= 0)
        return (size_t)count;
    if (errno != EAGAIN)
        return length;
    session->wants_write = true;
    session_update_watch(session);
    return 0;
}

/* A terminal has no end of input. */
static void end_input(void *job) {
    (void)job;
}

static void resize(void *job, unsigned cols, unsigned rows) {
    struct viewer *viewer = job;
    viewer->cols = cols;
    viewer->rows = rows;
    if (viewer->session->owner == viewer)
        session_set_size(viewer->session, cols, rows);
}

static void send_signal(void *job, int signal_number) {
    struct session *session = ((struct viewer *)job)->session;
    if (!session->ended)
        pty_signal(session->master.fd, signal_number);
}

static void writable(void *job) {
    session_serve(((struct viewer *)job)->session);
}

static void client_gone(void *job) {
    struct viewer *viewer = job;
    struct session *session = viewer->session;
    bool was_killer = viewer->only_waits;
    remove_viewer(viewer);
    if (session->name[0] == '\0' && !session->ended && !was_killer)
        session_hang_up(session);
    session_serve(session);
}

static const struct job viewer_job = {take_input, end_input, resize, send_signal, writable, client_gone};

struct viewer *session_add_viewer(struct session *session, struct client *client) {
    struct viewer *viewer = calloc(1, sizeof *viewer);
    if (viewer == NULL) {
        client_refuse(client, "OUT_OF_RESOURCES", "out of memory");
        return NULL;
    }
    viewer->session = session;
    viewer->client = client;
    viewer->next = session->viewers;
    session->viewers = viewer;
    client_attach(client, &viewer_job, viewer);
    return viewer;
}
