/* Interactive shells say where their prompts are (OSC 133) and leave their environment and the exit status of
 * their last command where a comparison of two machines finds them. */
#ifndef MACHINEN_SHELL_INTEGRATION_H
#define MACHINEN_SHELL_INTEGRATION_H

#include "env.h"

/* Writes what the shells read; from then on terminals are told of it. */
void shell_integration_begin(void);
/* Tell the shells on a terminal, unless somebody has plans of his own for the variables it takes. */
void shell_integration_into(struct env *env);

#endif
