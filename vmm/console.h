/* The guest's serial console: kept in a ring, copied to standard error, fed from standard input. */
#ifndef MACHINEN_CONSOLE_H
#define MACHINEN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_RING_BYTES (1u << 20)

/* `fd` is the non-blocking serial line. False when out of memory. */
bool console_start(int fd);
/* Bytes to type before standard input is read; to be called before console_start(), at most 4096. */
void console_type(const char *bytes, size_t length);
/* Queues bytes for standard error, beside what the guest prints. */
void console_print(const char *bytes, size_t length);
/* Once QEMU is gone: reads what it left, and gives standard error a moment to take it all. */
void console_finish(void);
/* A copy of the last bytes, at most `room`. Returns how many. */
size_t console_copy(char *out, size_t room);
size_t console_length(void);

#endif
