/* The directory that holds a machine's sockets and files, and ends with it. */
#ifndef MACHINEN_RUN_DIR_H
#define MACHINEN_RUN_DIR_H

#include "error.h"

/* It must be ours alone: later everything in it will be removed. */
bool run_dir_check(const char *path, struct error *error);
/* Removes the files in it and itself. Directories in it, and so itself, stay. */
void run_dir_remove(const char *path);

#endif
