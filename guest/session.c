#include "session.h"

#include "children.h"
#include "loop.h"
#include "pty.h"
#include "ring.h"
#include "viewer.h"
#include "winsize.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_SESSIONS = 256,
    MOST_AHEAD = 65536,  /* how far the output runs ahead of the fastest client */
    READ_BYTES = 32768,
    KILL_AFTER_MS = 1000,
    REOPEN_MS = 100,
    LISTED_COMMAND_BYTES = 1024,
};

struct session {
    char name[SESSION_NAME_BYTES + 1]; /* empty: it ends with its client */
    char *command;
    struct child child;
    struct watch master;
    struct ring ring;
    unsigned cols, rows;
    struct viewer *viewers; /* newest first */
    struct viewer *owner;   /* of the window size */
    struct timer kill, reopen;
    bool ended, wants_write;
    int code;
    struct session *next;
};

static struct session *sessions; /* those that run */
static unsigned session_count;

bool session_name_is_valid(const char *name) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strlen(name);
    return length >= 1 && length <= SESSION_NAME_BYTES && strspn(name, allowed) == length;
}

static struct session *find(const char *name) {
    for (struct session *session = sessions; session != NULL; session = session->next)
        if (session->name[0] != '\0' && strcmp(session->name, name) == 0)
            return session;
    return NULL;
}

/* Read on while nobody watches, or somebody keeps up. */
static bool may_read(const struct session *session) {
    bool watched = false;
    for (const struct viewer *viewer = session->viewers; viewer != NULL; viewer = viewer->next) {
        if (viewer->only_waits)
            continue;
        if (session->ring.end - viewer->position < MOST_AHEAD)
            return true;
        watched = true;
    }
    return !watched;
}

static void update_watch(struct session *session) {
    if (session->ended || session->reopen.armed)
        return;
    uint32_t out = session->wants_write ? EPOLLOUT : 0;
    loop_want(&session->master, (may_read(session) ? EPOLLIN : 0) | out);
}

static void free_session(struct session *session) {
    timer_stop(&session->kill);
    timer_stop(&session->reopen);
    ring_free(&session->ring);
    free(session->command);
    free(session);
}

static void set_size(struct session *session, unsigned cols, unsigned rows) {
    if (session->ended || (session->cols == cols && session->rows == rows))
        return;
    session->cols = cols;
    session->rows = rows;
    set_terminal_size(session->master.fd, cols, rows);
}

static void give_size_to(struct session *session, struct viewer *viewer) {
    session->owner = viewer;
    if (viewer != NULL)
        set_size(session, viewer->cols, viewer->rows);
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
        give_size_to(session, heir);
    }
    free(viewer);
}

static void serve(struct session *session) {
    for (struct viewer *viewer = session->viewers, *next; viewer != NULL; viewer = next) {
        next = viewer->next;
        viewer_serve(viewer, &session->ring, session->cols, session->rows);
        if (session->ended && (viewer->only_waits || viewer->position == session->ring.end)) {
            client_exit(viewer->client, viewer->only_waits ? 0 : session->code);
            remove_viewer(viewer);
        }
    }
    if (session->ended && session->viewers == NULL)
        free_session(session);
    else
        update_watch(session);
}

/* False when there is nothing now. */
static bool read_master(struct session *session) {
    static uint8_t bytes[READ_BYTES];
    ssize_t count = read(session->master.fd, bytes, sizeof bytes);
    if (count > 0) {
        ring_put(&session->ring, bytes, (size_t)count);
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
    update_watch(timer->owner);
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
    serve(session);
}

/* The terminal's last words are already in its buffer; a survivor in the background may go on for
 * ever, so they are taken up to a bound. */
static void child_ended(struct child *child, int code) {
    struct session *session = child->owner;
    uint64_t most = session->ring.end + RING_BYTES / 4;
    session->ended = true;
    session->code = code;
    while (session->ring.end < most && read_master(session))
        continue;
    loop_close(&session->master);
    timer_stop(&session->reopen);
    if (session->kill.armed)
        kill_session(session->child.pid, SIGKILL);
    timer_stop(&session->kill);
    for (struct session **at = &sessions; *at != NULL; at = &(*at)->next) {
        if (*at == session) {
            *at = session->next;
            break;
        }
    }
    session_count--;
    serve(session);
}

static void hang_up(struct session *session) {
    kill_session(session->child.pid, SIGHUP);
    kill_session(session->child.pid, SIGCONT);
}

static void kill_now(struct timer *timer) {
    kill_session(((struct session *)timer->owner)->child.pid, SIGKILL);
}

static size_t take_input(void *job, const uint8_t *bytes, size_t length) {
    struct viewer *viewer = job;
    struct session *session = viewer->session;
    if (session->ended || viewer->only_waits)
        return length;
    give_size_to(session, viewer);
    ssize_t count = write(session->master.fd, bytes, length);
    if (count >= 0)
        return (size_t)count;
    if (errno != EAGAIN)
        return length;
    session->wants_write = true;
    update_watch(session);
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
        set_size(viewer->session, cols, rows);
}

static void send_signal(void *job, int signal_number) {
    struct session *session = ((struct viewer *)job)->session;
    if (!session->ended)
        pty_signal(session->master.fd, signal_number);
}

static void writable(void *job) {
    serve(((struct viewer *)job)->session);
}

static void client_gone(void *job) {
    struct viewer *viewer = job;
    struct session *session = viewer->session;
    bool was_killer = viewer->only_waits;
    remove_viewer(viewer);
    if (session->name[0] == '\0' && !session->ended && !was_killer)
        hang_up(session);
    serve(session);
}

static const struct job viewer_job = {take_input, end_input, resize, send_signal, writable, client_gone};

static struct viewer *add_viewer(struct session *session, struct client *client) {
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

/* NULL with errno. */
static struct session *start(const char *name, const char *command, unsigned cols, unsigned rows) {
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
    if (session->command == NULL || !ring_init(&session->ring) ||
        (session->master.fd = pty_start(command, cols, rows, &session->child.pid)) < 0) {
        int error = errno;
        free_session(session);
        errno = error;
        return NULL;
    }
    children_add(&session->child);
    session->next = sessions;
    sessions = session;
    session_count++;
    return session;
}

void session_open(struct client *client, const char *name, const char *command, unsigned cols,
                  unsigned rows) {
    struct session *session = name == NULL ? NULL : find(name);
    if (session == NULL && session_count == MOST_SESSIONS) {
        client_refuse(client, "SESSION_LIMIT", "too many sessions");
        return;
    }
    if (session == NULL)
        session = start(name, command, cols, rows);
    if (session == NULL) {
        client_refuse(client, "OUT_OF_RESOURCES", strerror(errno));
        return;
    }
    struct viewer *viewer = add_viewer(session, client);
    if (viewer == NULL)
        return;
    viewer->cols = cols;
    viewer->rows = rows;
    client_line(client, "A %d", (int)session->child.pid);
    if (name != NULL)
        viewer_replay(viewer, &session->ring, session->cols, session->rows);
    give_size_to(session, viewer);
    serve(session);
}

static unsigned count_viewers(const struct session *session) {
    unsigned count = 0;
    for (const struct viewer *viewer = session->viewers; viewer != NULL; viewer = viewer->next)
        count += !viewer->only_waits;
    return count;
}

void session_list(struct client *client) {
    static char text[MOST_SESSIONS * (LISTED_COMMAND_BYTES + 128)];
    size_t length = 0;
    for (const struct session *session = sessions; session != NULL; session = session->next) {
        if (session->name[0] == '\0')
            continue;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s\t%d\t%u\t%u\t%u\t",
                                   session->name, (int)session->child.pid, session->cols,
                                   session->rows, count_viewers(session));
        size_t start = length;
        length += (size_t)snprintf(text + length, sizeof text - length, "%.*s", LISTED_COMMAND_BYTES,
                                   session->command);
        for (; start < length; start++)
            if (text[start] == '\t' || text[start] == '\n')
                text[start] = ' ';
        text[length++] = '\n';
    }
    for (size_t sent = 0; sent < length; sent += FRAME_BYTES)
        client_send(client, 'O', text + sent,
                    length - sent < FRAME_BYTES ? length - sent : (size_t)FRAME_BYTES);
    client_exit(client, 0);
}

void session_kill(struct client *client, const char *name) {
    struct session *session = find(name);
    if (session == NULL) {
        client_exit(client, 1);
        return;
    }
    struct viewer *viewer = add_viewer(session, client);
    if (viewer == NULL)
        return;
    viewer->only_waits = true;
    hang_up(session);
    timer_start(&session->kill, KILL_AFTER_MS);
}
