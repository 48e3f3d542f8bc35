/* `machinen-vmm save <control socket> <directory> [hold]`. */
#ifndef MACHINEN_SAVE_H
#define MACHINEN_SAVE_H

#include <stdbool.h>

/* The exit status. */
int save(const char *control_path, const char *directory, bool hold);

#endif
