#include "fit.h"

#include <string.h>

/* An emulated guest counts time by this host's counter: what is further off than this no clock setting mends. */
#define MOST_OFF_PERCENT 2

bool fits_processor(const struct captured *saved, const char *processor, uint64_t tsc_khz, struct error *error) {
    if (strcmp(saved->accel, "kvm") == 0) {
        return strcmp(saved->processor, processor) == 0 ||
               fail(error, "STATE_PROCESSOR", "it ran under KVM on '%s', this host has '%s'; restore it there, or save one booted with MACHINEN_ACCEL=tcg",
                    saved->processor, processor);
    }
    uint64_t off = tsc_khz > saved->tsc_khz ? tsc_khz - saved->tsc_khz : saved->tsc_khz - tsc_khz;
    return !saved->tsc_khz || !tsc_khz || off * 100 <= saved->tsc_khz * MOST_OFF_PERCENT ||
           fail(error, "STATE_PROCESSOR",
                "it counts time at %llu kHz, this host's processor at %llu: its clocks would go wrong; restore it on a host like its own, or with MACHINEN_TSC_KHZ=%llu all the same",
                (unsigned long long)saved->tsc_khz, (unsigned long long)tsc_khz, (unsigned long long)saved->tsc_khz);
}

/* "7.2" of "7.2.22": within one of these the state of a device does not change. */
static size_t release_length(const char *version) {
    size_t major = strcspn(version, ".");
    return version[major] ? major + 1 + strcspn(version + major + 1, ".") : major;
}

bool fits_qemu(const char *saved, const char *here, struct error *error) {
    size_t length = release_length(saved);
    return (length == release_length(here) && strncmp(saved, here, length) == 0) ||
           fail(error, "STATE_QEMU", "it was saved by QEMU %s, this host has %s; restore it with QEMU %.*s (MACHINEN_QEMU names another)",
                saved, here, (int)length, saved);
}
