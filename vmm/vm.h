/* The one machine of this process: what it is made of and how it is doing. */
#ifndef MACHINEN_VM_H
#define MACHINEN_VM_H

#include "config.h"
#include "disk.h"
#include "memory.h"
#include "qmp.h"

struct vm {
    const struct config *config;
    uint32_t memory_mib, cpus;
    enum accel accel;
    char accel_reason[160];
    char processor[64], saved_by[24]; /* what a resumed guest comes from: its processor and its QEMU's version */
    uint64_t tsc_khz;
    uint8_t key[LINK_KEY_BYTES]; /* the guest's at the start */
    struct memory memory;
    char template[MAX_TEMPLATE_KEY + 1]; /* what its sealed memory is, or empty */
    struct disk disks[MAX_DISKS];
    size_t disk_count;
    int kernel_fd, initrd_fd;
    int state_fd;    /* QEMU writes its device state here at every capture */
    int incoming_fd; /* the device state to resume from; QEMU closes its copy */
    bool resuming, running; /* running: QEMU said that the loaded guest runs */

    pid_t qemu;
    int qmp_fd, console_fd, link_fd, network_fd, log_fd;
    struct qmp qmp;
    bool paused, network_off;
    bool connections; /* those of the machine it was made from: the guest has them too and must lose them */
    uint64_t started_us;
    uint64_t inflated_bytes;
};

extern struct vm vm;

/* Takes note of what QEMU reports. */
void vm_event(const char *name, struct json data);

#endif
