/*
 * Which numbers descriptors may have. The guest makes slirp open sockets: never so many that none is left to talk to
 * our own clients. What slirp opens has a number below its limit; ours find room above it.
 */
#ifndef MACHINEN_NETWORK_DESCRIPTORS_H
#define MACHINEN_NETWORK_DESCRIPTORS_H

#include <sys/resource.h>

#define NETWORK_DESCRIPTORS 512u
#define OUR_DESCRIPTORS 4096u

/* Either of the two: the first around every call in which slirp may open a descriptor. */
void limit_descriptors(rlim_t most);

#endif
