/* The pax records of a member: `<length> <key>=<value>\n`, where the length counts itself. */
#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 32, NS_DIGITS = 9 };

static bool parse_u64(const char *text, uint64_t *number) {
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *number = value;
    return *text == '\0';
}

/* A size no file can have would only overflow later. */
static bool parse_size(const char *text, uint64_t *size) {
    return parse_u64(text, size) && *size <= INT64_MAX - TAR_BLOCK;
}

static bool parse_id(const char *text, uint32_t *id) {
    uint64_t value;
    if (!parse_u64(text, &value) || value > UINT32_MAX)
        return false;
    *id = (uint32_t)value;
    return true;
}

/* Seconds with a fraction, counted down from a negative whole: -1.25 is 0.75 s after -2. */
static bool parse_time(const char *text, struct timespec *time) {
    char whole[LONGEST_NUMBER + 1] = "";
    bool negative = *text == '-';
    uint64_t seconds;
    long fraction = 0;
    text += negative;
    const char *point = strchr(text, '.');
    size_t length = point == NULL ? strlen(text) : (size_t)(point - text);
    if (length > 15)
        return false;
    memcpy(whole, text, length);
    if (!parse_u64(whole, &seconds))
        return false;
    for (unsigned digit = 0; point != NULL && digit < NS_DIGITS; digit++) {
        char character = digit < strlen(point + 1) ? point[1 + digit] : '0';
        if (character < '0' || character > '9')
            return false;
        fraction = fraction * 10 + (character - '0');
    }
    time->tv_sec = negative ? -(time_t)seconds - (fraction > 0) : (time_t)seconds;
    time->tv_nsec = negative && fraction > 0 ? 1000000000L - fraction : fraction;
    return true;
}

static bool set_text(char **text, const char *value, size_t length) {
    /* A name with a NUL would be cut where it is used. */
    if (length == 0 || length > TAR_LONGEST_PATH || memchr(value, '\0', length) != NULL)
        return false;
    free(*text);
    *text = strndup(value, length);
    return *text != NULL;
}

static bool set_sparse(const char *key, const char *number, struct overrides *over) {
    if (strcmp(key, "GNU.sparse.major") == 0) {
        over->sparse = strcmp(number, "1") == 0;
        over->old_sparse = !over->sparse;
        return true;
    }
    if (strcmp(key, "GNU.sparse.minor") == 0)
        return true;
    if (strcmp(key, "GNU.sparse.realsize") == 0) {
        over->has_real_size = true;
        return parse_size(number, &over->real_size);
    }
    /* The formats 0.0 and 0.1 keep their maps in records. */
    over->old_sparse = over->old_sparse || !over->sparse;
    return true;
}

static bool apply(const char *key, const char *value, size_t length, struct overrides *over) {
    char number[LONGEST_NUMBER + 1] = "";
    if (strcmp(key, "path") == 0)
        return set_text(&over->path, value, length);
    if (strcmp(key, "linkpath") == 0)
        return set_text(&over->target, value, length);
    if (strcmp(key, "GNU.sparse.name") == 0)
        return set_text(&over->sparse_name, value, length);
    if (length <= LONGEST_NUMBER)
        memcpy(number, value, length);
    if (strncmp(key, "GNU.sparse.", 11) == 0)
        return set_sparse(key, number, over);
    if (strcmp(key, "size") == 0)
        return over->has_size = parse_size(number, &over->size);
    if (strcmp(key, "mtime") == 0)
        return over->has_mtime = parse_time(number, &over->mtime);
    if (strcmp(key, "uid") == 0)
        return over->has_uid = parse_id(number, &over->uid);
    if (strcmp(key, "gid") == 0)
        return over->has_gid = parse_id(number, &over->gid);
    return true;
}

static bool parse_one(const char *bytes, size_t length, struct overrides *over) {
    char key[64];
    const char *space = memchr(bytes, ' ', length);
    const char *equals = memchr(bytes, '=', length);
    if (space == NULL || equals == NULL || equals < space || bytes[length - 1] != '\n')
        return false;
    size_t key_length = (size_t)(equals - space - 1);
    if (key_length > strlen(ATTRIBUTE_KEY) && key_length < LONGEST_ATTRIBUTE_KEY &&
        memcmp(space + 1, ATTRIBUTE_KEY, strlen(ATTRIBUTE_KEY)) == 0)
        return strspn(bytes, "0123456789") == (size_t)(space - bytes) && memchr(space + 1, '\0', key_length) == NULL &&
               attributes_add(&over->attributes, bytes, length);
    if (key_length >= sizeof key)
        return true; /* none that we know */
    memcpy(key, space + 1, key_length);
    key[key_length] = '\0';
    return apply(key, equals + 1, length - (size_t)(equals + 1 - bytes) - 1, over);
}

bool records_parse(const char *bytes, size_t length, struct overrides *over) {
    while (length > 0) {
        size_t own = 0, digits = 0;
        for (; digits < length && digits < 7 && bytes[digits] >= '0' && bytes[digits] <= '9'; digits++)
            own = own * 10 + (size_t)(bytes[digits] - '0');
        if (digits == 0 || own <= digits || own > length || !parse_one(bytes, own, over))
            return false;
        bytes += own;
        length -= own;
    }
    return true;
}

size_t record_length(const char *key, size_t value_length) {
    size_t rest = strlen(key) + value_length + 3, length = 0;
    for (size_t next = rest; next != length;) {
        length = next;
        next = rest + (size_t)snprintf(NULL, 0, "%zu", length);
    }
    return length;
}

size_t record_write(char *to, const char *key, const char *value, size_t value_length) {
    size_t length = record_length(key, value_length);
    int head = sprintf(to, "%zu %s=", length, key);
    memcpy(to + head, value, value_length);
    to[length - 1] = '\n';
    return length;
}

void overrides_free(struct overrides *over) {
    free(over->path);
    free(over->target);
    free(over->sparse_name);
    attributes_free(&over->attributes);
    *over = (struct overrides){.path = NULL};
}
