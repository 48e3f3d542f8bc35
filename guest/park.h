/* Holds a process that has executed a program until it is told to go on, and as what. */
#ifndef MACHINEN_PARK_H
#define MACHINEN_PARK_H

#ifdef __x86_64__

#include "parked-stub.h"
#include "../vmm/tracee.h"

#include <stdbool.h>

enum { PARKED_FD = 3, PARKED_ROOM = 65536 - PARKED_CODE };

/* Its code and its orders: our view of what the process has at PARKED_ADDRESS. */
struct parking {
    uint8_t code[PARKED_CODE];
    union {
        struct parked_orders orders;
        uint8_t room[PARKED_ROOM];
    };
};

/* Where the process finds its orders. */
extern const uint64_t parked_orders_address;

/* Whether this kernel and our rights allow it. */
bool park_is_possible(void);

/* A place to park at, and a descriptor of it, which the process needs as its PARKED_FD. NULL with errno. */
struct parking *parking_make(int *fd);
void parking_free(struct parking *parking);

/* Lets a process that we trace have its place, and closes its PARKED_FD. */
bool park_prepare(const struct tracee *tracee);
/* Lets it wait there for its orders, no longer traced. False: it cannot be done; the process is in an undefined state, or
 * has ended. */
bool park(const struct tracee *tracee);

#endif
#endif
