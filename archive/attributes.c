#include "attributes.h"

#include "member.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

enum { LARGEST_VALUE = 65536, LARGEST_LIST = 65536 };

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* Attributes by which overlay file systems and rootless containers take one file for another. */
static bool is_layers(const char *name) {
    return begins(name, "user.overlay.") || begins(name, "user.fuseoverlayfs.") || begins(name, "user.containers.");
}

static enum attribute_kinds kind_of(const char *name) {
    if (begins(name, "user.") && !is_layers(name))
        return ATTRIBUTES_USER;
    if (strcmp(name, "system.posix_acl_access") == 0 || strcmp(name, "system.posix_acl_default") == 0)
        return ATTRIBUTES_OWNERS;
    return strcmp(name, "security.capability") == 0 ? ATTRIBUTES_RIGHTS : ATTRIBUTES_ALL;
}

bool attributes_add(struct attributes *attributes, const char *record, size_t length) {
    if (length == 0 || length > MOST_ATTRIBUTE_BYTES - attributes->length)
        return length == 0;
    char *grown = realloc(attributes->records, attributes->length + length);
    if (grown == NULL)
        return false;
    memcpy(grown + attributes->length, record, length);
    attributes->records = grown;
    attributes->length += length;
    return true;
}

static void key_of(const char *name, char key[LONGEST_ATTRIBUTE_KEY]) {
    size_t at = (size_t)sprintf(key, ATTRIBUTE_KEY);
    for (; *name != '\0' && at + 4 < LONGEST_ATTRIBUTE_KEY; name++)
        at += (size_t)(*name == '=' ? sprintf(key + at, "%%3D") : *name == '%' ? sprintf(key + at, "%%25")
                                                                : sprintf(key + at, "%c", *name));
    key[at] = '\0';
}

/* False when it is longer than a name can be. */
static bool name_of(const char *key, size_t length, char name[XATTR_NAME_MAX + 1]) {
    size_t at = 0;
    for (size_t i = strlen(ATTRIBUTE_KEY); i < length && at < XATTR_NAME_MAX; at++) {
        bool coded = i + 2 < length && key[i] == '%' && (memcmp(key + i, "%3D", 3) == 0 || memcmp(key + i, "%25", 3) == 0);
        name[at] = !coded ? key[i] : key[i + 1] == '3' ? '=' : '%';
        i += coded ? 3 : 1;
    }
    name[at] = '\0';
    return at < XATTR_NAME_MAX;
}

static bool read_one(const char *path, bool follow, const char *name, struct attributes *attributes) {
    static char value[LARGEST_VALUE], record[LARGEST_VALUE + LONGEST_ATTRIBUTE_KEY + 16];
    char key[LONGEST_ATTRIBUTE_KEY];
    ssize_t length = follow ? getxattr(path, name, value, sizeof value) : lgetxattr(path, name, value, sizeof value);
    if (length < 0)
        return errno != ERANGE && errno != E2BIG; /* else it has gone */
    key_of(name, key);
    return attributes_add(attributes, record, record_write(record, key, value, (size_t)length));
}

bool attributes_read(int fd, const char *name, enum attribute_kinds kinds, struct attributes *attributes) {
    static char names[LARGEST_LIST];
    char path[64 + NAME_MAX];
    bool follow = name == NULL, whole = true;
    *attributes = (struct attributes){.records = NULL};
    snprintf(path, sizeof path, follow ? "/proc/self/fd/%d" : "/proc/self/fd/%d/%s", fd, name);
    ssize_t length = follow ? listxattr(path, names, sizeof names) : llistxattr(path, names, sizeof names);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
        if (kind_of(names + at) <= kinds)
            whole = read_one(path, follow, names + at, attributes) && whole;
    return whole && (length >= 0 || errno != E2BIG);
}

/* The next whole record; its parts lie in it. They were found sound when the record was taken. */
static bool next_record(const struct attributes *attributes, size_t *at, const char **key, size_t *key_length,
                        const char **value, size_t *length) {
    if (*at >= attributes->length)
        return false;
    char *space;
    const char *record = attributes->records + *at;
    size_t own = strtoul(record, &space, 10);
    *key = space + 1;
    *key_length = (size_t)((const char *)memchr(*key, '=', own) - *key);
    *value = *key + *key_length + 1;
    *length = own - (size_t)(*value - record) - 1;
    *at += own;
    return true;
}

bool attributes_set(int fd, enum attribute_kinds kinds, const struct attributes *attributes) {
    const char *key, *value;
    size_t at = 0, key_length, length;
    char name[XATTR_NAME_MAX + 1];
    int error = 0;
    while (next_record(attributes, &at, &key, &key_length, &value, &length)) {
        if (!name_of(key, key_length, name) || kind_of(name) > kinds)
            continue;
        if (fsetxattr(fd, name, value, length, 0) != 0 && errno != ENOTSUP)
            error = errno;
    }
    errno = error;
    return error == 0;
}

void attributes_free(struct attributes *attributes) {
    free(attributes->records);
    *attributes = (struct attributes){.records = NULL};
}
