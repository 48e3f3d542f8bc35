/*
 * Copying a guest's RAM with the guest stopped for as little of it as possible: what can be done while
 * it runs is done before (copy_begin) and after (copy_end).
 *
 * A whole copy is a sealed memfd as large as the RAM. A delta (docs/protocol.md, section 4) holds only
 * the pages that are not in the sealed base.
 */
#ifndef MACHINEN_COPY_H
#define MACHINEN_COPY_H

#include "pages.h"

enum copy_kind { COPY_WHOLE, COPY_DELTA };

struct copy {
    enum copy_kind kind;
    const struct memory *memory;
    pid_t qemu;
    int fd;
    struct runs runs;
    uint8_t *room; /* delta: all of fd, mapped */
    uint64_t room_bytes, length;
};

/* The guest runs. After false nothing needs to be ended. */
bool copy_begin(struct copy *copy, enum copy_kind kind, const struct memory *memory, pid_t qemu, struct error *error);
/* It is stopped. */
bool copy_take(struct copy *copy, struct error *error);
/* It may run again. The sealed copy; -1 and `error`, also when `ok` is false (an earlier step failed, with its error). */
int copy_end(struct copy *copy, bool ok, struct error *error);

/* A copy of a sealed memory for one QEMU alone, which is not sealed. */
bool copy_own(int from, uint64_t size, struct memory *own, struct error *error);

/* Writes a delta into a QEMU that has the same base mapped and has not run yet. */
bool delta_inject(int delta, const struct memory *memory, pid_t qemu, struct error *error);

#endif
