/* Whole reads and writes, memfds, and copies that keep holes. */
#ifndef MACHINEN_FILES_H
#define MACHINEN_FILES_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

bool read_at(int fd, void *bytes, size_t length, off_t offset);
bool write_at(int fd, const void *bytes, size_t length, off_t offset);
bool write_all(int fd, const void *bytes, size_t length);
/* Whether errno says that memory, a disk, a quota or a limit is used up. */
bool no_space_left(void);
/* A close-on-exec memfd that can still be sealed; -1 with errno. */
int memfd_new(const char *name, uint64_t size);
/* From here on nobody, not even the holder of a writable descriptor, can change it. */
bool seal(int fd);
/* A second, independent, read-only open of the same file; -1 with errno. */
int reopen_read_only(int fd);
/* A file that goes with its last descriptor; -1 with errno. */
int nameless_file(const char *directory);
bool make_socketpair(int ends[2]);
void close_fd(int *fd);

/* Copies `from` to the same places of `to`, which is empty; holes and pages of zeros become holes. */
bool copy_data(int from, int to, uint64_t size, struct error *error);

#endif
