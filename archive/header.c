/* The 512 bytes of a tar header: ustar, with GNU's binary numbers. */
#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME = 0, MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156,
    TARGET = 157, MAGIC = 257, MAJOR = 329, MINOR = 337, PREFIX = 345,
    NAME_BYTES = 100, PREFIX_BYTES = 155, SUM_BYTES = 8,
};

bool block_is_zero(const uint8_t *block) {
    for (size_t i = 0; i < TAR_BLOCK; i++)
        if (block[i] != 0)
            return false;
    return true;
}

static unsigned checksum(const uint8_t *block) {
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= SUM && i < SUM + SUM_BYTES ? ' ' : block[i];
    return sum;
}

/* Two's complement, big-endian; the first bit only says that it is binary. */
static bool binary_number(const uint8_t *field, size_t length, int64_t *number) {
    bool negative = (field[0] & 0x40) != 0;
    uint64_t value = negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = i > 0 ? field[i] : negative ? field[0] | 0x80 : field[0] & 0x7f;
        if ((value >> 55) != (negative ? 0x1ff : 0))
            return false;
        value = value << 8 | byte;
    }
    *number = (int64_t)value;
    return true;
}

static bool parse_number(const uint8_t *field, size_t length, int64_t *number) {
    size_t at = 0;
    if (field[0] & 0x80)
        return binary_number(field, length, number);
    while (at < length && field[at] == ' ')
        at++;
    uint64_t value = 0;
    for (; at < length && field[at] >= '0' && field[at] <= '7'; at++)
        value = value * 8 + (uint64_t)(field[at] - '0');
    *number = (int64_t)value;
    return at == length || field[at] == ' ' || field[at] == '\0';
}

static bool parse_unsigned(const uint8_t *field, size_t length, uint32_t *number) {
    int64_t value;
    if (!parse_number(field, length, &value) || value < 0 || value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

static char *field_text(const uint8_t *field, size_t length) {
    return strndup((const char *)field, length);
}

static char *name_of(const uint8_t *block) {
    bool has_prefix = memcmp(block + MAGIC, "ustar", 6) == 0 && block[PREFIX] != '\0';
    if (!has_prefix)
        return field_text(block + NAME, NAME_BYTES);
    char name[PREFIX_BYTES + NAME_BYTES + 2];
    snprintf(name, sizeof name, "%.155s/%.100s", (const char *)block + PREFIX, (const char *)block + NAME);
    return strdup(name);
}

bool header_peek(const uint8_t *block, char *type, uint64_t *size) {
    int64_t sum, length;
    if (!parse_number(block + SUM, SUM_BYTES, &sum) || (uint64_t)sum != checksum(block) ||
        !parse_number(block + SIZE, 12, &length) || length < 0)
        return false;
    *type = (char)block[TYPE];
    *size = (uint64_t)length;
    return true;
}

static bool has_data(char type) {
    return type < MEMBER_HARD_LINK || type > MEMBER_FIFO;
}

static char *chosen(char *override, char *own) {
    if (override == NULL)
        return own;
    free(own);
    return strdup(override);
}

bool header_parse(const uint8_t *block, struct overrides *over, struct member *member) {
    int64_t mtime;
    *member = (struct member){.type = MEMBER_FILE};
    if (!header_peek(block, &member->type, &member->size) ||
        !parse_unsigned(block + MODE, 8, &member->mode) || !parse_number(block + MTIME, 12, &mtime) ||
        !parse_unsigned(block + UID, 8, &member->uid) || !parse_unsigned(block + GID, 8, &member->gid))
        return false;
    /* Fields that only devices have are often left blank or odd. */
    if (!parse_unsigned(block + MAJOR, 8, &member->major) || !parse_unsigned(block + MINOR, 8, &member->minor))
        member->major = member->minor = 0;
    member->mode &= 07777;
    member->mtime.tv_sec = mtime;
    if (over->has_mtime)
        member->mtime = over->mtime;
    if (over->has_uid)
        member->uid = over->uid;
    if (over->has_gid)
        member->gid = over->gid;
    if (over->has_size)
        member->size = over->size;
    if (member->type == '\0' || member->type == '7')
        member->type = MEMBER_FILE;
    if (!has_data(member->type))
        member->size = 0;
    member->unreadable = over->old_sparse || member->type == 'S';
    member->sparse = over->sparse && !over->old_sparse && member->type == MEMBER_FILE;
    member->real_size = over->has_real_size ? over->real_size : member->size;
    member->path = chosen(member->sparse && over->sparse_name ? over->sparse_name : over->path, name_of(block));
    member->target = chosen(over->target, field_text(block + TARGET, NAME_BYTES));
    if (member->path != NULL && member->target != NULL) {
        member->attributes = over->attributes;
        over->attributes = (struct attributes){.records = NULL};
        return true;
    }
    member_free(member);
    return false;
}

static void write_number(uint8_t *field, size_t length, uint64_t number) {
    if (number >> (3 * (length - 1)) == 0) {
        char text[24];
        snprintf(text, sizeof text, "%0*llo", (int)length - 1, (unsigned long long)number);
        memcpy(field, text, length);
        return;
    }
    for (size_t i = length; i-- > 0; number >>= 8)
        field[i] = (uint8_t)number;
    field[0] |= 0x80;
}

static void write_text(uint8_t *field, size_t length, const char *text) {
    if (text != NULL)
        memcpy(field, text, strnlen(text, length));
}

void header_write(uint8_t *block, const struct member *member) {
    char sum[SUM_BYTES];
    memset(block, 0, TAR_BLOCK);
    write_text(block + NAME, NAME_BYTES, member->path);
    write_number(block + MODE, 8, member->mode);
    write_number(block + UID, 8, member->uid);
    write_number(block + GID, 8, member->gid);
    write_number(block + SIZE, 12, member->size);
    write_number(block + MTIME, 12, member->mtime.tv_sec < 0 ? 0 : (uint64_t)member->mtime.tv_sec);
    block[TYPE] = (uint8_t)member->type;
    write_text(block + TARGET, NAME_BYTES, member->target);
    memcpy(block + MAGIC, "ustar\0" "00", 8);
    write_number(block + MAJOR, 8, member->major);
    write_number(block + MINOR, 8, member->minor);
    snprintf(sum, sizeof sum, "%06o", checksum(block));
    memcpy(block + SUM, sum, 7);
    block[SUM + 7] = ' ';
}

void member_free(struct member *member) {
    free(member->path);
    free(member->target);
    member->path = member->target = NULL;
    attributes_free(&member->attributes);
}
