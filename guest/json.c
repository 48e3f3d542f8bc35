#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 16 };

struct reader {
    const char *at, *end;
};

static struct json *read_value(struct reader *reader, unsigned depth);

static void skip_space(struct reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL && *reader->at != '\0')
        reader->at++;
}

static bool take(struct reader *reader, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool read_hex4(struct reader *reader, uint32_t *value) {
    *value = 0;
    if (reader->end - reader->at < 4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = memchr(digits, *reader->at++, sizeof digits - 1);
        if (digit == NULL)
            return false;
        uint32_t number = (uint32_t)(digit - digits);
        *value = *value << 4 | (number < 16 ? number : number - 6);
    }
    return true;
}

static char *put_utf8(char *out, uint32_t code) {
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

static char *read_unicode(struct reader *reader, char *out) {
    uint32_t code, low;
    if (!read_hex4(reader, &code) || code == 0)
        return NULL;
    if (code >= 0xdc00 && code <= 0xdfff)
        return NULL;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (!take(reader, "\\u") || !read_hex4(reader, &low) || low < 0xdc00 || low > 0xdfff)
            return NULL;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_utf8(out, code);
}

static char *read_escape(struct reader *reader, char *out) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return NULL;
    char c = *reader->at++;
    if (c == 'u')
        return read_unicode(reader, out);
    const char *name = memchr(names, c, sizeof names - 1);
    if (name == NULL)
        return NULL;
    *out++ = values[name - names];
    return out;
}

/* No escape is shorter than what it stands for, so the text's length bounds the string's. */
static char *read_string(struct reader *reader) {
    if (!take(reader, "\""))
        return NULL;
    const char *close = reader->at;
    while (close < reader->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= reader->end)
        return NULL;
    char *string = malloc((size_t)(close - reader->at) + 1), *out = string;
    while (out != NULL && reader->at < close) {
        unsigned char c = (unsigned char)*reader->at++;
        if (c == '\\')
            out = read_escape(reader, out);
        else if (c < 0x20)
            out = NULL;
        else
            *out++ = (char)c;
    }
    if (out == NULL) {
        free(string);
        return NULL;
    }
    *out = '\0';
    reader->at = close + 1;
    return string;
}

/* As text: who wants a number knows of which kind. */
static char *read_number(struct reader *reader) {
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at != '\0' && strchr("+-.eE0123456789", *reader->at) != NULL)
        reader->at++;
    return reader->at > start ? strndup(start, (size_t)(reader->at - start)) : NULL;
}

static bool read_children(struct reader *reader, struct json *value, char close, unsigned depth) {
    struct json **end = &value->child;
    const char closing[2] = {close, '\0'};
    skip_space(reader);
    if (take(reader, closing))
        return true;
    do {
        char *key = NULL;
        skip_space(reader);
        if (close == '}') {
            key = read_string(reader);
            skip_space(reader);
            if (key == NULL || !take(reader, ":")) {
                free(key);
                return false;
            }
        }
        *end = read_value(reader, depth + 1);
        if (*end == NULL) {
            free(key);
            return false;
        }
        (*end)->key = key;
        end = &(*end)->next;
        skip_space(reader);
    } while (take(reader, ","));
    return take(reader, closing);
}

static bool read_into(struct reader *reader, struct json *value, unsigned depth) {
    if (take(reader, "{")) {
        value->type = JSON_OBJECT;
        return read_children(reader, value, '}', depth);
    }
    if (take(reader, "[")) {
        value->type = JSON_ARRAY;
        return read_children(reader, value, ']', depth);
    }
    if (reader->at < reader->end && *reader->at == '"') {
        value->type = JSON_STRING;
        value->string = read_string(reader);
        return value->string != NULL;
    }
    value->type = take(reader, "null")    ? JSON_NULL
                  : take(reader, "true")  ? JSON_TRUE
                  : take(reader, "false") ? JSON_FALSE
                                          : JSON_NUMBER;
    if (value->type == JSON_NUMBER)
        value->string = read_number(reader);
    return value->type != JSON_NUMBER || value->string != NULL;
}

static struct json *read_value(struct reader *reader, unsigned depth) {
    struct json *value = depth > DEEPEST ? NULL : calloc(1, sizeof *value);
    skip_space(reader);
    if (value != NULL && !read_into(reader, value, depth)) {
        json_free(value);
        return NULL;
    }
    return value;
}

struct json *json_parse(const char *text, size_t length) {
    struct reader reader = {text, text + length};
    struct json *value = read_value(&reader, 0);
    skip_space(&reader);
    if (value != NULL && reader.at != reader.end) {
        json_free(value);
        return NULL;
    }
    return value;
}

void json_free(struct json *value) {
    while (value != NULL) {
        struct json *next = value->next;
        json_free(value->child);
        free(value->key);
        free(value->string);
        free(value);
        value = next;
    }
}

const struct json *json_find(const struct json *value, const char *key) {
    if (value == NULL || value->type != JSON_OBJECT)
        return NULL;
    for (const struct json *member = value->child; member != NULL; member = member->next)
        if (strcmp(member->key, key) == 0)
            return member;
    return NULL;
}

const struct json *json_member(const struct json *value, const char *key, enum json_type type) {
    const struct json *member = json_find(value, key);
    return member != NULL && member->type == type ? member : NULL;
}

bool json_integer(const struct json *value, int64_t most, int64_t *number) {
    if (value == NULL || value->type != JSON_NUMBER || strspn(value->string, "0123456789") != strlen(value->string))
        return false;
    errno = 0;
    *number = strtoll(value->string, NULL, 10);
    return errno == 0 && *number <= most;
}
