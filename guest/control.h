/* Port 1970: clock, entropy, host name, power. */
#ifndef MACHINEN_CONTROL_H
#define MACHINEN_CONTROL_H

#include "agent.h"

extern const struct service control_service;

/* False (the default): this process is not the machine's PID 1 and must not change the machine. */
extern bool control_owns_machine;
extern bool power_off_wanted;

#endif
