/* A total, bounded reader of JSON text in memory. Nothing is copied or allocated. */
#ifndef MACHINEN_JSON_H
#define MACHINEN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One whole JSON value inside a larger text. */
struct json {
    const char *text;
    size_t length;
};

/* The text is exactly one valid value, nested at most 32 deep. */
bool json_parse(const char *text, size_t length, struct json *value);
/* The member `key` of an object (the first one when repeated). */
bool json_member(struct json object, const char *key, struct json *value);
/* Element `index` of an array. */
bool json_element(struct json array, size_t index, struct json *value);
/* A whole number without sign, fraction or exponent. */
bool json_u64(struct json value, uint64_t *number);
bool json_true(struct json value);
/* A string without its quotes and escapes, NUL-terminated; false when it does not fit or holds a NUL. */
bool json_string(struct json value, char *out, size_t room);
/* `text` as the inside of a JSON string; cut to fit. Returns `out`. */
char *json_escape(const char *text, char *out, size_t room);

#endif
