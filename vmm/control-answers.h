/* What each request on the control socket does and answers (docs/protocol.md, section 4). */
#ifndef MACHINEN_CONTROL_ANSWERS_H
#define MACHINEN_CONTROL_ANSWERS_H

#include "control-client.h"

/* Makes the client's answer, to be sent. False when out of memory. */
bool control_answer(struct client *client, char *request);
/* Whether the request, which begins so, has to be asked about again later. */
bool control_must_wait(const char *request);
bool control_is_capture(const char *request);
/* The client has gone: a capture it holds is over. */
void control_let_go(const struct client *client);

#endif
