/*
 * Guest memory that is mapped from the file of a bundle instead of being read into memory of our own: what the guest
 * never touches takes none, and machines restored from the same bundle share what they only read. A lease keeps the
 * file as it is; before somebody changes it, or a fork wants to share it, it becomes sealed memory as that of others.
 */
#ifndef MACHINEN_LAZY_H
#define MACHINEN_LAZY_H

#include "vm.h"

/*
 * For a QEMU over memory that holds nothing yet: puts a checked file, on which there is a lease and which is ours from
 * now on, in its place, or where that cannot be done the content of it.
 */
bool lazy_map(struct vm *vm, int file, struct error *error);
/* Why a bundle's memory was not mapped, for who asked for it. */
void lazy_refused(const char *reason);
/* Makes it sealed memory, if it is not yet. The machine goes on either way. */
bool lazy_settle(struct vm *vm, struct error *error);
/* Somebody waits to change the file. */
void lazy_broken(void);
/* Members of the answer to `status`, each with a comma before it. Empty where it was not asked for. */
const char *lazy_members(char *out, size_t room);

#endif
