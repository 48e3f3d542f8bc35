/* Several machines that start from the same moment of this one: what the first of them captured, kept for the others. */
#ifndef MACHINEN_GROUP_H
#define MACHINEN_GROUP_H

#include "copy.h"
#include "captured.h"

#define MAX_TOKEN 64
#define MAX_GROUP 256

/* Is this moment kept? Then `out` is it, or false with `error`. */
bool group_has(const char *token);
bool group_take(const char *token, enum copy_kind kind, struct captured *out, struct error *error);
/* Keeps it for `others` more. False when there is no room. */
bool group_keep(const char *token, enum copy_kind kind, unsigned others, const struct captured *captured);
/* Forgets what nobody came for; to be called about once a second. */
void group_sweep(void);

#endif
