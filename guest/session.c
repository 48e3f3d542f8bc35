#include "session-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_SESSIONS = 256,
    KILL_AFTER_MS = 1000,
    LISTED_COMMAND_BYTES = 1024,
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

/* NULL with errno. */
static struct session *start(const char *name, const char *command, unsigned cols, unsigned rows) {
    struct session *session = session_start(name, command, cols, rows);
    if (session != NULL) {
        session->next = sessions;
        sessions = session;
        session_count++;
    }
    return session;
}

void session_forget(struct session *session) {
    for (struct session **at = &sessions; *at != NULL; at = &(*at)->next) {
        if (*at == session) {
            *at = session->next;
            break;
        }
    }
    session_count--;
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
    struct viewer *viewer = session_add_viewer(session, client);
    if (viewer == NULL)
        return;
    viewer->cols = cols;
    viewer->rows = rows;
    client_line(client, "A %d", (int)session->child.pid);
    if (name != NULL)
        viewer_replay(viewer, &session->history, session->cols, session->rows);
    session_give_size(session, viewer);
    session_serve(session);
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
    struct viewer *viewer = session_add_viewer(session, client);
    if (viewer == NULL)
        return;
    viewer->only_waits = true;
    session_hang_up(session);
    timer_start(&session->kill, KILL_AFTER_MS);
}
