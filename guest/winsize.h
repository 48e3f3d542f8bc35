/* Port 1974: the size of the terminal that shows the console. */
#ifndef MACHINEN_WINSIZE_H
#define MACHINEN_WINSIZE_H

#include "agent.h"

extern const struct service winsize_service;

/* "<cols> <rows>" and nothing else, both in 1..10000. */
bool parse_size(const char *text, unsigned *cols, unsigned *rows);
bool set_terminal_size(int fd, unsigned cols, unsigned rows);

#endif
