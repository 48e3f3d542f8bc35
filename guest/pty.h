/* A pseudo terminal with a command on it. */
#ifndef MACHINEN_PTY_H
#define MACHINEN_PTY_H

#include <sys/types.h>

/* The master's descriptor (non-blocking), or -1 with errno. */
int pty_start(const char *command, unsigned cols, unsigned rows, pid_t *pid);
/* To the process group in the foreground. */
void pty_signal(int master, int signal_number);

#endif
