/* Port 1975: KEY=VALUE lines for the environment of later commands; kept in memory only. */
#ifndef MACHINEN_SECRETS_H
#define MACHINEN_SECRETS_H

#include "agent.h"

extern const struct service secrets_service;

/* Also written here, for programs that look for them; NULL: nowhere. Must be on a tmpfs. */
extern const char *secrets_path;

#endif
