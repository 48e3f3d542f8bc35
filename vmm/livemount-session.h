/* libfuse's low-level session: its loop over the stream to the guest, with our operations. */
#ifndef MACHINEN_LIVEMOUNT_SESSION_H
#define MACHINEN_LIVEMOUNT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads the next request into `message` of `room` bytes, for one thread at a time; its length. */
typedef ssize_t (*session_reader)(int fd, void *message, size_t room, void *unused);

/* Before the sandbox is entered. Answers go to `data`. */
bool session_init(int data, session_reader reader);
/* Returns only when there are no threads. */
void session_loop(void);
/* True: libfuse may have this request. Else it has been answered. Nobody else may be reading one. */
bool session_admits(uint8_t *message, size_t length);
/* An answer, or something of our own with request 0. False: nobody listens. */
bool session_send(uint64_t unique, int error, const void *bytes, size_t length);
/* LIVE_MAX_DATA bytes of the calling thread; NULL when there is no memory. */
char *session_buffer(void);

#endif
