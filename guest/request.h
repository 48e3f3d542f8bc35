/* The first thing a client says. */
#ifndef MACHINEN_REQUEST_H
#define MACHINEN_REQUEST_H

#include "client.h"

/* What follows the verb: this many numbers, of which the last `texts` are lengths of what follows the line. */
struct verb {
    const char *name;
    unsigned numbers, texts;
    void (*run)(struct client *client, const unsigned *numbers, char *text);
};

/* Starts what the request asks for when it has arrived whole; refuses what is malformed. */
void request_parse(struct client *client);

#endif
