/* Holds a process that has just executed a program before that program's first instruction. */
#ifndef MACHINEN_PARK_H
#define MACHINEN_PARK_H

#include "start-image.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PARKED_FD = 3, PARKED_ROOM = 65536 - PARKED_CODE };

/* Its code and its orders: our view of what the process has at PARKED_ADDRESS. */
struct parking {
    uint8_t code[PARKED_CODE];
    union {
        struct parked_orders orders;
        uint8_t room[PARKED_ROOM];
    };
};

/* Whether this kernel and our rights allow it. */
bool park_is_possible(void);

/* A place to park at, and a descriptor of it, which the process needs as its PARKED_FD. NULL with errno. */
struct parking *parking_make(int *fd);
void parking_free(struct parking *parking);

/* `pid` is traced and stands at the start of a program. Afterwards it is not traced, and waits for its orders. False: it
 * cannot be done; the process is in an undefined state, or has ended. */
bool park(pid_t pid, struct loaded *loaded);

#endif
