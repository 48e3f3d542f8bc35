/* A pipe held by the process that made this machine: until that says that others can find the machine,
 * the machine does not outlive it. */
#ifndef MACHINEN_LEASH_H
#define MACHINEN_LEASH_H

#include <stdbool.h>

enum { LEASH_FD = 3 };

/* Whether the caller asked for one and gave us its descriptor. */
bool leash_given(void);
/* False when the loop has no room. */
bool leash_start(void);

#endif
