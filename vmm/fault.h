/*
 * For tests: MACHINEN_FAULT=<step> kills this process when it gets there, MACHINEN_FAULT=qemu:<step>
 * kills its QEMU, MACHINEN_FAULT=mount:<step> the file server of its first live mount, so that every half-done state
 * can be brought about.
 */
#ifndef MACHINEN_FAULT_H
#define MACHINEN_FAULT_H

#include "error.h"

/* In the order in which they happen; the names in fault.c are these in lower case. */
enum fault_step {
    MOUNTS_STARTED, /* each live mount has its file server, nothing else runs */
    MOUNTS_PAUSING, /* a capture asked them to come to rest */
    MOUNTS_RESTING, /* they have */
    CAPTURE_PREPARED, /* disks and room for the memory are ready, the guest runs */
    CAPTURE_STOPPED,
    CAPTURE_SAVED, /* device state */
    CAPTURE_FROZEN, /* disks */
    CAPTURE_COPIED, /* memory */
    CAPTURE_CONTINUED,
    CAPTURE_ANSWERING,
    SAVE_CAPTURED,
    SAVE_MEMORY, /* the first file is written */
    SAVE_FILES,  /* all but the description */
    RESUME_BASE, /* the source gave its base, or the description of a bundle was read */
    RESUME_SPAWNED,
    RESUME_GREETED,
    RESUME_CAPTURED,
    RESUME_INJECTED,
    RESUME_MAPPED, /* the file of a bundle, instead */
    RESUME_ATTACHED, /* disks */
    RESUME_LOADED,
    RESUME_LINKED,
    RESUME_TOLD, /* RESUME is on its way to the agent */
    SETTLE_STOPPED, /* memory that was mapped from a bundle becomes its own: the guest is stopped */
    SETTLE_COPIED,
    SETTLE_MAPPED,
    FAULT_STEPS
};

bool fault_choose(const char *step, struct error *error);
void fault(enum fault_step step);

#endif
