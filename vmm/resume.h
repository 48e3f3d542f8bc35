/*
 * Telling the agent of a resumed machine who it is now: RESUME (docs/protocol.md, 3.2). Until it is
 * answered nobody else talks to the guest.
 */
#ifndef MACHINEN_RESUME_H
#define MACHINEN_RESUME_H

#include "error.h"
#include "stream.h"

#define MAX_RESUME_TEXT (256u * 1024 - 1024)

/* The JSON object to send, from a file (NULL: an empty one) or as it is. */
bool resume_read(const char *path, struct error *error);
bool resume_take(const char *text, size_t length, struct error *error);

/* From here on silence counts. */
void resume_expect(void);
/* The link is up (again). */
void resume_send(struct link *link);
bool resume_owns(const struct stream *stream);
/* What the link reports about its stream. */
void resume_data(struct stream *stream, const uint8_t *bytes, size_t length);
void resume_writable(void);
void resume_gone(void);

enum resume_outcome { RESUME_PENDING, RESUME_ACCEPTED, RESUME_FAILED };
/* Failed with `error`: the agent refused, or has been silent for too long. */
enum resume_outcome resume_outcome(struct error *error);

#endif
