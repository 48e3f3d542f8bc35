/* Commands on a PTY: named ones outlive their clients, unnamed ones end with theirs. */
#ifndef MACHINEN_SESSION_H
#define MACHINEN_SESSION_H

#include "client.h"

enum { SESSION_NAME_BYTES = 64 };

bool session_name_is_valid(const char *name);
/* Attach to the session of this name, else start `command` in a new one. Name NULL: a PTY of its own. */
void session_open(struct client *client, const char *name, const char *command, unsigned cols,
                  unsigned rows);
void session_list(struct client *client);
void session_kill(struct client *client, const char *name);

#endif
