#include "config.h"

#include "captured.h"
#include "group.h"

#include <stdio.h>
#include <string.h>

bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *number) {
    uint64_t n = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *number = n;
    return n >= low && n <= high;
}

static bool bad(struct error *error, const char *name, const char *why) {
    return fail(error, "CONFIG_INVALID", "%s: %s", name, why);
}

/* An unset and an empty variable mean the same: the default stays. */
static const char *text(char *(*get)(const char *), const char *name) {
    const char *value = get(name);
    return value && *value ? value : NULL;
}

static bool number(char *(*get)(const char *), const char *name, uint64_t low, uint64_t high,
                   uint64_t *value, struct error *error) {
    const char *given = text(get, name);
    if (given && !parse_number(given, low, high, value)) {
        return fail(error, "CONFIG_INVALID", "%s: '%.40s' is not a number from %llu to %llu", name, given,
                    (unsigned long long)low, (unsigned long long)high);
    }
    return true;
}

bool is_token(const char *text, size_t length) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return length > 0 && length <= MAX_TOKEN && strspn(text, allowed) >= length;
}

static bool parse_forwards(struct config *config, const char *list, struct error *error) {
    static const char name[] = "MACHINEN_VSOCK";
    while (list && *list) {
        const char *comma = strchr(list, ',');
        size_t length = comma ? (size_t)(comma - list) : strlen(list);
        const char *port = list + 3, *path = memchr(list, ':', length) ? memchr(port, ':', length > 3 ? length - 3 : 0) : NULL;
        char digits[8] = "";
        uint64_t number;
        if (length < 4 || memcmp(list, "in:", 3) != 0 || path == NULL || path - port > 5) {
            return bad(error, name, "each entry must be in:<guest port>:<socket path>");
        }
        memcpy(digits, port, (size_t)(path - port));
        if (!parse_number(digits, 1, 65535, &number)) {
            return bad(error, name, "a guest port must be a number from 1 to 65535");
        }
        path++;
        size_t path_length = length - (size_t)(path - list);
        if (path_length == 0 || path_length >= sizeof config->forwards[0].path) {
            return bad(error, name, "a socket path must have 1 to 107 bytes");
        }
        if (config->forward_count == MAX_FORWARDS) {
            return bad(error, name, "too many entries (at most 32)");
        }
        struct forward_config *forward = &config->forwards[config->forward_count++];
        forward->port = (uint16_t)number;
        memcpy(forward->path, path, path_length);
        forward->path[path_length] = '\0';
        list = comma ? comma + 1 : NULL;
    }
    return true;
}

static bool parse_incoming(struct config *config, const char *incoming, struct error *error) {
    if (incoming && strncmp(incoming, "fork:", 5) == 0 && incoming[5]) {
        config->incoming_fork = incoming + 5;
    } else if (incoming && strncmp(incoming, "bundle:", 7) == 0 && incoming[7]) {
        config->incoming_bundle = incoming + 7;
    } else if (incoming && strncmp(incoming, "template:", 9) == 0 && incoming[9]) {
        config->incoming_template = incoming + 9;
    } else if (incoming) {
        return bad(error, "MACHINEN_INCOMING", "must be fork:<control socket>, bundle:<directory> or template:<directory>");
    } else if (!config->kernel) {
        return bad(error, "MACHINEN_KERNEL", "is not set");
    }
    return true;
}

/* More than we would ask are left out: they only save a copy. */
static bool parse_bases(struct config *config, const char *list, struct error *error) {
    while (list && *list && config->base_count < MAX_BASES) {
        size_t length = strcspn(list, ",");
        if (length >= sizeof config->bases[0]) {
            return bad(error, "MACHINEN_BASE", "a socket path must have 1 to 107 bytes");
        }
        if (length > 0) {
            memcpy(config->bases[config->base_count], list, length);
            config->bases[config->base_count++][length] = '\0';
        }
        list += length + (list[length] == ',');
    }
    return true;
}

static bool parse_group(struct config *config, const char *group, struct error *error) {
    const char *colon = group ? strchr(group, ':') : NULL;
    uint64_t count;
    if (!group) {
        return true;
    }
    if (!colon || !is_token(group, (size_t)(colon - group)) || !parse_number(colon + 1, 1, MAX_GROUP, &count)) {
        return bad(error, "MACHINEN_FORK_GROUP", "must be <token>:<n>, a token of 1 to 64 bytes of A-Z a-z 0-9 . _ -, n at most 256");
    }
    snprintf(config->fork_group, sizeof config->fork_group, "%.*s %u", (int)(colon - group), group, (unsigned)count);
    return true;
}

static bool parse_accel(struct config *config, const char *accel, struct error *error) {
    if (accel && strcmp(accel, "tcg") != 0 && strcmp(accel, "kvm") != 0) {
        return bad(error, "MACHINEN_ACCEL", "must be tcg or kvm");
    }
    config->accel = !accel ? ACCEL_PROBE : strcmp(accel, "kvm") == 0 ? ACCEL_KVM : ACCEL_TCG;
    return true;
}

bool config_read(struct config *config, char *(*get)(const char *), struct error *error) {
    uint64_t memory = 512, cpus = 1, limit = 0;
    *config = (struct config){
        .kernel = text(get, "MACHINEN_KERNEL"),
        .initrd = text(get, "MACHINEN_INITRD"),
        .stats_file = text(get, "MACHINEN_STATS_FILE"),
        .control = text(get, "MACHINEN_CONTROL"),
        .run_dir = text(get, "MACHINEN_RUN_DIR"),
        .disk_dir = text(get, "MACHINEN_DISK_DIR"),
        .rootdisk = text(get, "MACHINEN_ROOTDISK"),
        .scratch_disk = text(get, "MACHINEN_SCRATCH_DISK"),
        .mount_lower = text(get, "MACHINEN_MOUNT_LOWER"),
        .mount_upper = text(get, "MACHINEN_MOUNT_UPPER"),
        .cmdline = text(get, "MACHINEN_CMDLINE"),
        .qemu = text(get, "MACHINEN_QEMU"),
        .resume = text(get, "MACHINEN_RESUME"),
        .template = text(get, "MACHINEN_TEMPLATE"),
        .trace = text(get, "MACHINEN_TRACE"),
        .fault = text(get, "MACHINEN_FAULT"),
        .ports = text(get, "MACHINEN_FORWARD"),
        .live_mounts = text(get, "MACHINEN_LIVE_MOUNTS"),
    };
    if (!config->qemu) {
        config->qemu = "qemu-system-x86_64";
    }
    if (config->control && strlen(config->control) >= sizeof config->forwards[0].path) {
        return bad(error, "MACHINEN_CONTROL", "a socket path must have 1 to 107 bytes");
    }
    if (config->template && !is_token(config->template, strlen(config->template))) {
        return bad(error, "MACHINEN_TEMPLATE", "must be 1 to 64 bytes of A-Z a-z 0-9 . _ -");
    }
    const char *wait = text(get, "MACHINEN_FORK_WAIT"), *network = text(get, "MACHINEN_NETWORK"), *lazy = text(get, "MACHINEN_LAZY"),
               *verify = text(get, "MACHINEN_VERIFY");
    config->fork_wait = wait && strcmp(wait, "1") == 0;
    config->lazy = lazy && strcmp(lazy, "1") == 0;
    config->verify = verify && strcmp(verify, "1") == 0;
    config->network_off = network && strcmp(network, "0") == 0;
    config->network_on = network && !config->network_off;
    bool ok = number(get, "MACHINEN_MEMORY", 64, 1 << 20, &memory, error) &&
              number(get, "MACHINEN_MEMORY_LIMIT", 64, 1 << 20, &limit, error) &&
              number(get, "MACHINEN_CPUS", 1, 64, &cpus, error) &&
              number(get, "MACHINEN_TSC_KHZ", 10000, 100000000, &config->tsc_khz, error) &&
              number(get, "MACHINEN_ROOTDISK_SIZE", 1, 1ull << 42, &config->rootdisk_size, error) &&
              parse_accel(config, text(get, "MACHINEN_ACCEL"), error) &&
              parse_forwards(config, text(get, "MACHINEN_VSOCK"), error) &&
              parse_bases(config, text(get, "MACHINEN_BASE"), error) &&
              parse_group(config, text(get, "MACHINEN_FORK_GROUP"), error) &&
              parse_incoming(config, text(get, "MACHINEN_INCOMING"), error);
    if (ok && !config->incoming_template && !config->mount_lower != !config->mount_upper) {
        ok = bad(error, "MACHINEN_MOUNT_LOWER", "goes together with MACHINEN_MOUNT_UPPER");
    }
    if (ok && config->incoming_template && config->mount_upper) {
        ok = bad(error, "MACHINEN_MOUNT_UPPER", "is the template's own");
    }
    if (ok && config->scratch_disk && (config->incoming_fork || config->incoming_bundle)) {
        ok = bad(error, "MACHINEN_SCRATCH_DISK", "is for new machines: forks and bundles have their source's");
    }
    if (ok && limit && !config->incoming_fork && !config->incoming_bundle) {
        ok = bad(error, "MACHINEN_MEMORY_LIMIT", "is for forks and bundles: a new machine has MACHINEN_MEMORY");
    }
    config->memory_mib = (uint32_t)memory;
    config->memory_limit = (uint32_t)limit;
    config->cpus = (uint32_t)cpus;
    return ok;
}
