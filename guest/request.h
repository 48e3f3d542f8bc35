/* The first thing a client of port 1978 says. */
#ifndef MACHINEN_REQUEST_H
#define MACHINEN_REQUEST_H

#include "client.h"

/* Starts what the request asks for when it has arrived whole; refuses what is malformed. */
void request_parse(struct client *client);

#endif
