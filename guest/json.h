/* Reads JSON: total and bounded. Pure. */
#ifndef MACHINEN_JSON_H
#define MACHINEN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    char *key;    /* in an object */
    char *string; /* without NULs inside; JSON_STRING, and the text of a JSON_NUMBER */
    struct json *child, *next;
};

/* NULL when it is malformed, nested too deep, or memory is short. */
struct json *json_parse(const char *text, size_t length);
void json_free(struct json *value);
/* NULL when `value` is no object or has no such member. */
const struct json *json_find(const struct json *value, const char *key);
/* The same for a member of this type. */
const struct json *json_member(const struct json *value, const char *key, enum json_type type);
/* False when `value` is no whole number from 0 to `most`. */
bool json_integer(const struct json *value, int64_t most, int64_t *number);

#endif
