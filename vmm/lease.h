/* A file that we may read as if nobody could change it: who wants to waits until we have let go of it. */
#ifndef MACHINEN_LEASE_H
#define MACHINEN_LEASE_H

#include <stdbool.h>

/* Of a descriptor open only for reading. False with errno where that cannot be: EAGAIN when somebody writes to it. */
bool lease_take(int fd);
/* Whether it is held and nobody waits. Who waits is announced by SIGIO, and goes on after /proc/sys/fs/lease-break-time. */
bool lease_holds(int fd);
/* Whether what the file held when the lease was taken is still in it: the kernel does not wait for us for ever. */
bool lease_kept(int fd);
void lease_drop(int fd);

#endif
