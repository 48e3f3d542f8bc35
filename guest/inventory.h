/* `machinen-init inventory ...`: what is in this machine, for comparing it with another. Runs as a
 * command of its own, so that a walk over a large disk holds up nothing. */
#ifndef MACHINEN_INVENTORY_H
#define MACHINEN_INVENTORY_H

/* `files`, `processes`, or `digests` of the NUL-separated paths on standard input. The exit status. */
int inventory_main(int argc, char **argv);

int inventory_files(void);
int inventory_processes(void);
int inventory_digests(void);

#endif
