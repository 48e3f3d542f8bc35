/* MACHINEN_FORK_WAIT: a child that is ready waits on standard input for the order to fork. */
#ifndef MACHINEN_ORDER_H
#define MACHINEN_ORDER_H

#include "error.h"

/* Prints `ready` and waits for the line with what RESUME shall say, as long as the connection to the source
 * is open. At once true when nobody asked to wait. What comes after the line is for the guest's console. */
bool order_await(int source, struct error *error);

#endif
