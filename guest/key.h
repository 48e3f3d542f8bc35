/* The key of the link. */
#ifndef MACHINEN_KEY_H
#define MACHINEN_KEY_H

#include "../vmm/stream.h"

/* 64 hex digits, followed by nothing or white space. */
bool key_parse(const char *text, uint8_t key[LINK_KEY_BYTES]);
/* From `machinen.key=` on the kernel command line. */
bool key_read(uint8_t key[LINK_KEY_BYTES]);

#endif
