/*
 * Guest RAM as a memfd. A machine booted cold shares its memfd with QEMU; every other one maps a
 * sealed memfd, or the file of a bundle, privately, and what it has written exists only in QEMU's page tables.
 */
#ifndef MACHINEN_MEMORY_H
#define MACHINEN_MEMORY_H

#include "error.h"

#include <stdint.h>
#include <sys/types.h>

struct memory {
    int fd;
    bool shared;
    bool leased; /* it is the file of a bundle (lazy.h), not sealed */
    uint64_t size;
};

/* Bytes a whole copy, or only what is not in the sealed base, would take now; the guest may be running. */
uint64_t memory_touched(const struct memory *memory, pid_t qemu);
uint64_t memory_private(const struct memory *memory, pid_t qemu);
/* Whether the host, and the control group we are in, can give so much: who takes too much is killed, or somebody else. */
bool host_has(uint64_t bytes, struct error *error);
/* Nobody can change what this descriptor holds, and it has `size` bytes (0: any number). */
bool is_sealed(int fd, uint64_t size);

#endif
