/* Commands that carry an id are started once: a client that lost its connection may ask again. */
#ifndef MACHINEN_ONCE_H
#define MACHINEN_ONCE_H

#include <stdbool.h>

enum { ONCE_ID_BYTES = 32 };

/* 1 to 32 letters and digits. */
bool once_id_is_valid(const char *id);

/* True the first time; of many ids the latest are remembered. */
bool once(const char *id);

#endif
