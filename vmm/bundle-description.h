/* vmm.json of a bundle: it ends with the checksum of all that stands before. */
#ifndef MACHINEN_BUNDLE_DESCRIPTION_H
#define MACHINEN_BUNDLE_DESCRIPTION_H

#include "error.h"
#include "json.h"

#define MAX_DESCRIPTION 65536u

/* Finishes and writes `text`, an object whose closing brace is missing, in a room of MAX_DESCRIPTION bytes. */
bool description_write(int directory, char *text, struct error *error);
/* `text` has room for MAX_DESCRIPTION bytes and holds what `object` points to. */
bool description_read(int directory, char *text, struct json *object, struct error *error);
/* For all files of a bundle: what errno says of this one. */
bool bad_file(struct error *error, const char *name);

#endif
