/* A session's terminal: its start, what is read from it, its end. */
#include "session-internal.h"

#include "pty.h"
#include "winsize.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_AHEAD = 65536, /* how far the output runs ahead of the fastest client */
    READ_BYTES = 32768,
    REOPEN_MS = 100,
};

/* Read on while nobody watches, or somebody keeps up. */
static bool may_read(const struct session *session) {
    bool watched = false;
    for (const struct viewer *viewer = session->viewers; viewer != NULL; viewer = viewer->next) {
        if (viewer->only_waits)
            continue;
        if (session->history.ring.end - viewer->position < MOST_AHEAD)
            return true;
        watched = true;
    }
    return !watched;
}

void session_update_watch(struct session *session) {
    if (session->ended || session->reopen.armed)
        return;
    uint32_t out = session->wants_write ? EPOLLOUT : 0;
    loop_want(&session->master, (may_read(session) ? EPOLLIN : 0) | out);
}

void session_set_size(struct session *session, unsigned cols, unsigned rows) {
    if (session->ended || (session->cols == cols && session->rows == rows))
        return;
    session->cols = cols;
    session->rows = rows;
    set_terminal_size(session->master.fd, cols, rows);
    history_resize(&session->history, cols);
}

/* False when there is nothing now. */
static bool read_master(struct session *session) {
    static uint8_t bytes[READ_BYTES];
    ssize_t count = read(session->master.fd, bytes, sizeof bytes);
    if (count > 0) {
        history_put(&session->history, bytes, (size_t)count);
        return true;
    }
    /* Nobody has the terminal open now; its session may open it again. */
    if (count < 0 && errno == EIO && !session->ended) {
        loop_want(&session->master, 0);
        timer_start(&session->reopen, REOPEN_MS);
    }
    return false;
}

static void reopen(struct timer *timer) {
    session_update_watch(timer->owner);
}

static void master_ready(struct watch *watch, uint32_t events) {
    struct session *session = watch->owner;
    if (events & EPOLLOUT) {
        session->wants_write = false;
        for (struct viewer *viewer = session->viewers, *next; viewer != NULL; viewer = next) {
            next = viewer->next;
            client_resume(viewer->client);
        }
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_master(session);
    session_serve(session);
}

/* The terminal's last words are already in its buffer; a survivor in the background may go on for
 * ever, so they are taken up to a bound. */
static void child_ended(struct child *child, int code) {
    struct session *session = child->owner;
    uint64_t most = session->history.ring.end + RING_BYTES / 4;
    session->ended = true;
    session->code = code;
    while (session->history.ring.end < most && read_master(session))
        continue;
    loop_close(&session->master);
    timer_stop(&session->reopen);
    if (session->kill.armed)
        kill_session(session->child.pid, SIGKILL);
    timer_stop(&session->kill);
    session_forget(session);
    session_serve(session);
}

void session_hang_up(struct session *session) {
    kill_session(session->child.pid, SIGHUP);
    kill_session(session->child.pid, SIGCONT);
}

static void kill_now(struct timer *timer) {
    kill_session(((struct session *)timer->owner)->child.pid, SIGKILL);
}

void session_free(struct session *session) {
    timer_stop(&session->kill);
    timer_stop(&session->reopen);
    history_free(&session->history);
    free(session->command);
    free(session);
}

struct session *session_start(const char *name, const char *command, unsigned cols, unsigned rows) {
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->child = (struct child){.ended = child_ended, .owner = session};
    session->master = (struct watch){.fd = -1, .ready = master_ready, .owner = session};
    session->kill = (struct timer){.fired = kill_now, .owner = session};
    session->reopen = (struct timer){.fired = reopen, .owner = session};
    session->cols = cols;
    session->rows = rows;
    snprintf(session->name, sizeof session->name, "%s", name == NULL ? "" : name);
    session->command = strdup(command);
    if (session->command == NULL || !history_init(&session->history, cols) ||
        (session->master.fd = pty_start(command, cols, rows, &session->child.pid)) < 0) {
        int error = errno;
        session_free(session);
        errno = error;
        return NULL;
    }
    children_add(&session->child);
    return session;
}
