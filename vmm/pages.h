/* The pages a QEMU has written over its private mapping of a sealed memfd or a bundle's file, read and written from outside. */
#ifndef MACHINEN_PAGES_H
#define MACHINEN_PAGES_H

#include "memory.h"

#include <stddef.h>

#define PAGE 4096ull

/* Where in the guest's RAM. Both are whole pages. */
struct run {
    uint64_t offset, length;
};

struct runs {
    struct run *list;
    size_t count, room;
    uint64_t bytes; /* of all runs together */
};

/* Its private pages; or all that it has looked at, those of the file, too. */
enum page_kind { PAGES_OWN, PAGES_MAPPED };

/* Finds them, replacing what `runs` held. False with errno. */
bool pages_scan(const struct memory *memory, pid_t qemu, enum page_kind kind, struct runs *runs);
/* The same, as kernels before 6.7 have to. */
bool pages_scan_plain(const struct memory *memory, pid_t qemu, enum page_kind kind, struct runs *runs);
/* Where the guest's RAM begins in QEMU; 0 with errno. */
uint64_t pages_address(const struct memory *memory, pid_t qemu);
/* For memory that has been mapped there in place of another. */
void pages_lie_at(const struct memory *memory, pid_t qemu, uint64_t address);
/* Copies the pages of these runs, one behind the other, out of or into that QEMU. False with errno. */
bool pages_read(const struct memory *memory, pid_t qemu, const struct run *runs, size_t count, void *to);
bool pages_write(const struct memory *memory, pid_t qemu, const struct run *runs, size_t count, const void *from);
void runs_free(struct runs *runs);

#endif
