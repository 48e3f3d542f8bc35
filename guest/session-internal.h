/* What the parts of a session share. Private to session*.c. */
#ifndef MACHINEN_SESSION_INTERNAL_H
#define MACHINEN_SESSION_INTERNAL_H

#include "children.h"
#include "history.h"
#include "loop.h"
#include "session.h"
#include "viewer.h"

struct session {
    char name[SESSION_NAME_BYTES + 1]; /* empty: it ends with its client */
    char *command;
    struct child child;
    struct watch master;
    struct history history;
    unsigned cols, rows;
    struct viewer *viewers; /* newest first */
    struct viewer *owner;   /* of the window size */
    struct timer kill, reopen;
    bool ended, wants_write;
    int code;
    struct session *next;
};

/* session.c: no longer among those that run. */
void session_forget(struct session *session);

/* session-terminal.c */
/* NULL with errno. */
struct session *session_start(const char *name, const char *command, unsigned cols, unsigned rows);
void session_free(struct session *session);
void session_hang_up(struct session *session);
void session_set_size(struct session *session, unsigned cols, unsigned rows);
/* Waits for what the terminal and its viewers are ready for now. */
void session_update_watch(struct session *session);

/* session-viewers.c */
/* NULL when the client had to be refused. */
struct viewer *session_add_viewer(struct session *session, struct client *client);
/* The window becomes as large as this viewer's; NULL: stays as it is. */
void session_give_size(struct session *session, struct viewer *viewer);
/* Everybody gets what there is for them. The session may be gone afterwards. */
void session_serve(struct session *session);

#endif
