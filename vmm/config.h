/* What the environment asks for (docs/protocol.md, section 1). */
#ifndef MACHINEN_CONFIG_H
#define MACHINEN_CONFIG_H

#include "error.h"

#include <stdint.h>
#include <stddef.h>

#define MAX_FORWARDS 32
#define MAX_BASES 8

enum accel { ACCEL_PROBE, ACCEL_TCG, ACCEL_KVM };

struct forward_config {
    uint16_t port;
    char path[108];
};

struct config {
    const char *kernel, *initrd, *stats_file, *control, *run_dir, *disk_dir, *rootdisk, *scratch_disk, *mount_lower, *mount_upper, *cmdline, *qemu;
    const char *incoming_fork, *incoming_bundle, *incoming_template;
    const char *resume, *template, *trace, *fault, *ports, *live_mounts;
    bool network_on, network_off; /* neither: as the machine it is made from, else on */
    char bases[MAX_BASES][108];
    size_t base_count;
    char fork_group[80]; /* `<token> <n>`, or empty */
    bool fork_wait, lazy, verify;
    uint64_t rootdisk_size, tsc_khz;
    uint32_t memory_mib, cpus;
    uint32_t memory_limit; /* MiB; 0: none */
    enum accel accel;
    struct forward_config forwards[MAX_FORWARDS];
    size_t forward_count;
};

/* Reads variables through `get` (getenv, or a test's own). */
bool config_read(struct config *config, char *(*get)(const char *name), struct error *error);
/* Names that programs make up: 1 to 64 bytes of A-Z a-z 0-9 . _ - */
bool is_token(const char *text, size_t length);
/* The whole text is a decimal number between `low` and `high`. */
bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *number);

#endif
