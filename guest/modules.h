/* Loads the kernel modules of /lib/machinen/modules.list. */
#ifndef MACHINEN_MODULES_H
#define MACHINEN_MODULES_H

void modules_load(void);

#endif
