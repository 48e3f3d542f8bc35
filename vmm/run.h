/* The life of one machine, from its configuration to the removal of its files. */
#ifndef MACHINEN_RUN_H
#define MACHINEN_RUN_H

/* The exit status. */
int run(void);

#endif
