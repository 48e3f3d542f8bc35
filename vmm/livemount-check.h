/*
 * What stands between a hostile guest and libfuse, which was written for messages from a kernel it trusts: it takes
 * every argument to be there, names to end in a NUL, and counts and sizes to be true.
 */
#ifndef MACHINEN_LIVEMOUNT_CHECK_H
#define MACHINEN_LIVEMOUNT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0: libfuse finds all it reads within the message. Else an errno for the guest. */
int check_request(const uint8_t *message, size_t length, bool read_only);
/* Whether requests of this kind are never answered. */
bool is_silent(uint32_t opcode);
/* A name of one directory entry, which cannot lead anywhere else. */
bool is_entry_name(const char *name);

#endif
