/* Ends every TCP connection of this machine to the outside, as if it had broken. */
#ifndef MACHINEN_CONNECTIONS_H
#define MACHINEN_CONNECTIONS_H

void connections_end(void);

#endif
