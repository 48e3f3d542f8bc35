/* The pipes between us and a command. */
#ifndef MACHINEN_PIPES_H
#define MACHINEN_PIPES_H

#include <stdbool.h>

/* Both ends are closed on exec; `ours` (0 reads, 1 writes) does not block. False leaves `ends` alone. */
bool pipe_of(int ends[2], int ours);
/* /dev/null, the same descriptor each time: a look-up less per command. */
int null_input(void);

#endif
