/* Reads JSON: total and bounded. Pure. */
#ifndef MACHINEN_JSON_H
#define MACHINEN_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    char *key;    /* in an object */
    char *string; /* without NULs inside; JSON_STRING */
    struct json *child, *next;
};

/* NULL when it is malformed, nested too deep, or memory is short. */
struct json *json_parse(const char *text, size_t length);
void json_free(struct json *value);
/* NULL when `value` is no object or has no such member of this type. */
const struct json *json_member(const struct json *value, const char *key, enum json_type type);

#endif
