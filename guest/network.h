/* The network card of the machine: on or off, and the end of connections another machine goes on with. */
#ifndef MACHINEN_NETWORK_H
#define MACHINEN_NETWORK_H

#include <stdbool.h>

void loopback_up(void);
/* Unless `machinen.network=off` stands on the kernel command line. */
void network_begin(void);
/* A resumed machine. `connections`: those to the outside end with an error at once, also for who only waits. */
void network_resume(bool on, bool connections);

#endif
