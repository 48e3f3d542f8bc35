/* Ends the machine. */
#ifndef MACHINEN_POWER_H
#define MACHINEN_POWER_H

_Noreturn void power_off(void);

#endif
