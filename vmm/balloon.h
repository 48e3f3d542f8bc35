/*
 * A limit for the guest's memory below the RAM it was made with: a balloon in the guest takes the rest, as far as
 * the guest does not use it.
 */
#ifndef MACHINEN_BALLOON_H
#define MACHINEN_BALLOON_H

#include <stdint.h>

/* Brings the machine nearer to its limit, once it is up. Cheap when there is nothing to do. */
void balloon_tick(void);
/* The guest is about to be captured. Its copy is not to fill the balloon further: over shared memory that costs as much as it gives. */
void balloon_hold(void);
/* `none`: no limit; `busy`: on the way there for the first time; `reached`; `short`: the guest has more in use. */
const char *balloon_state(void);
/* MiB the guest can use: what is not in the balloon, or all of its RAM when it does not keep to that. */
uint32_t balloon_ceiling(void);

#endif
