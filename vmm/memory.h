/*
 * Guest RAM as a memfd. A machine booted cold shares its memfd with QEMU; every other one maps a
 * sealed memfd privately, and what it has written exists only in QEMU's page tables.
 */
#ifndef MACHINEN_MEMORY_H
#define MACHINEN_MEMORY_H

#include "error.h"

#include <stdint.h>
#include <sys/types.h>

struct memory {
    int fd;
    bool shared;
    uint64_t size;
};

/* Bytes a copy would take now; the guest may be running. */
uint64_t memory_touched(const struct memory *memory, pid_t qemu);
/* Bytes the host can still give. */
uint64_t host_available(void);
/* A sealed memfd with what the stopped guest has in its RAM; -1 and `error`. */
int memory_copy(const struct memory *memory, pid_t qemu, struct error *error);

#endif
