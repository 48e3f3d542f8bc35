#include "tar-member.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { LARGEST_OCTAL_ID = 07777777 };

static const uint64_t largest_octal_size = 077777777777;

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, linkname[100];
    char magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

/* A record begins with its own length, whose digits count. */
static size_t record_length(size_t rest) {
    size_t length = rest + 1;
    for (size_t digits = 1;; digits++) {
        length = rest + digits;
        if ((size_t)snprintf(NULL, 0, "%zu", length) == digits)
            return length;
    }
}

bool tar_record(struct tar_records *records, const char *key, const void *value, size_t length) {
    size_t total = record_length(strlen(key) + length + 3); /* space, equals sign, newline */
    char *grown = realloc(records->bytes, records->length + total + 1);
    if (grown == NULL)
        return false;
    records->bytes = grown;
    char *at = grown + records->length;
    at += sprintf(at, "%zu %s=", total, key);
    memcpy(at, value, length);
    at[length] = '\n';
    records->length += total;
    return true;
}

bool tar_record_number(struct tar_records *records, const char *key, uint64_t value) {
    char text[24];
    return tar_record(records, key, text, (size_t)sprintf(text, "%llu", (unsigned long long)value));
}

void tar_records_free(struct tar_records *records) {
    free(records->bytes);
    *records = (struct tar_records){.bytes = NULL};
}

static void octal(char *field, size_t width, uint64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%0*llo", (int)width - 1, (unsigned long long)value);
    memcpy(field, digits, width);
}

/* Without a NUL when the text fills the field; cut when it is longer. */
static void text(char *field, size_t width, const char *value) {
    size_t length = strlen(value);
    memcpy(field, value, length < width ? length : width);
}

static void seal(struct header *header) {
    const unsigned char *bytes = (const unsigned char *)header;
    unsigned sum = 0;
    memset(header->checksum, ' ', sizeof header->checksum);
    for (size_t i = 0; i < sizeof *header; i++)
        sum += bytes[i];
    snprintf(header->checksum, sizeof header->checksum, "%06o", sum);
}

static struct header new_header(const char *name, char type, uint64_t size) {
    struct header header = {.type = type, .magic = "ustar"};
    memcpy(header.magic + 6, "00", 2);
    text(header.name, sizeof header.name, name);
    octal(header.size, sizeof header.size, size <= largest_octal_size ? size : 0);
    return header;
}

static bool write_header(FILE *out, struct header *header) {
    seal(header);
    return fwrite(header, sizeof *header, 1, out) == 1;
}

static bool add_missing(struct tar_records *records, const struct tar_member *member) {
    const struct stat *info = member->info;
    const struct timespec *mtime = &info->st_mtim;
    char time[48];
    bool fine = true;
    if (strlen(member->path) > sizeof((struct header *)0)->name)
        fine = fine && tar_record(records, "path", member->path, strlen(member->path));
    if (member->target != NULL && strlen(member->target) > sizeof((struct header *)0)->linkname)
        fine = fine && tar_record(records, "linkpath", member->target, strlen(member->target));
    if (member->size > largest_octal_size)
        fine = fine && tar_record_number(records, "size", member->size);
    if (info->st_uid > LARGEST_OCTAL_ID)
        fine = fine && tar_record_number(records, "uid", info->st_uid);
    if (info->st_gid > LARGEST_OCTAL_ID)
        fine = fine && tar_record_number(records, "gid", info->st_gid);
    /* Times before 1970 have no place in the format's octal digits, fractions nowhere in the header. */
    if (mtime->tv_nsec != 0 && mtime->tv_sec >= 0)
        fine = fine && tar_record(records, "mtime", time,
                                  (size_t)sprintf(time, "%lld.%09ld", (long long)mtime->tv_sec, mtime->tv_nsec));
    return fine;
}

static bool write_records(FILE *out, const struct tar_records *records) {
    if (records->length == 0)
        return true;
    struct header header = new_header("././@PaxHeader", 'x', records->length);
    octal(header.mode, sizeof header.mode, 0644);
    octal(header.mtime, sizeof header.mtime, 0);
    return write_header(out, &header) && fwrite(records->bytes, records->length, 1, out) == 1 &&
           tar_write_padding(out, records->length);
}

bool tar_write_header(FILE *out, const struct tar_member *member, struct tar_records *records) {
    const struct stat *info = member->info;
    if (!add_missing(records, member) || !write_records(out, records))
        return false;
    struct header header = new_header(member->path, member->type, member->size);
    octal(header.mode, sizeof header.mode, info->st_mode & 07777);
    octal(header.uid, sizeof header.uid, info->st_uid <= LARGEST_OCTAL_ID ? info->st_uid : 0);
    octal(header.gid, sizeof header.gid, info->st_gid <= LARGEST_OCTAL_ID ? info->st_gid : 0);
    octal(header.mtime, sizeof header.mtime, info->st_mtime > 0 ? (uint64_t)info->st_mtime : 0);
    if (member->target != NULL)
        text(header.linkname, sizeof header.linkname, member->target);
    if (member->type == '3' || member->type == '4') {
        octal(header.major, sizeof header.major, major(info->st_rdev));
        octal(header.minor, sizeof header.minor, minor(info->st_rdev));
    }
    return write_header(out, &header);
}

bool tar_write_padding(FILE *out, uint64_t size) {
    static const char zeros[TAR_BLOCK];
    size_t left = (size_t)(-size % TAR_BLOCK);
    return left == 0 || fwrite(zeros, left, 1, out) == 1;
}

bool tar_write_end(FILE *out) {
    static const char zeros[2 * TAR_BLOCK];
    return fwrite(zeros, sizeof zeros, 1, out) == 1 && fflush(out) == 0;
}
