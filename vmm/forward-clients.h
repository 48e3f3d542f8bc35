/* Those connected to the forwarded sockets: each a connection on the host and a stream to the guest. */
#ifndef MACHINEN_FORWARD_CLIENTS_H
#define MACHINEN_FORWARD_CLIENTS_H

#include "stream.h"

struct client;

/* Takes `fd`, which must not block. `serves`: the guest waits for it, and is told when it has gone. `link`: NULL while
 * clients have to wait. */
bool clients_add(int fd, uint16_t port, bool serves, struct link *link);
bool clients_have_room(void);
/* Those that wait get their streams. */
void clients_let_through(struct link *link);
/* What the guest sent goes out to whoever takes it at once. */
void clients_write(void);
/* Frees those that are gone. */
void clients_sweep(void);

/* Events of a client's stream, whose data the client is (stream.h). */
void client_data(struct client *client, const uint8_t *bytes, size_t length);
void client_finished(struct client *client);
void client_gone(struct client *client);
/* Asks the loop for what the client can do now; also when its stream has room again. */
void client_update(struct client *client);

#endif
