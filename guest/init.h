/* PID 1 of the machine. */
#ifndef MACHINEN_INIT_H
#define MACHINEN_INIT_H

_Noreturn void init_main(void);
/* What PID 1 and the stand-alone agent share: signals, limits, loop. False: no way to go on. */
_Bool agent_prepare(void);

#endif
