#include "captured.h"
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

const char *const disk_use_names[DISK_USES] = {"root", "scratch", "mount-lower", "mount-upper"};

void captured_init(struct captured *captured) {
    *captured = (struct captured){.memory_fd = -1, .state_fd = -1};
    for (size_t disk = 0; disk < MAX_DISKS; disk++) {
        for (size_t layer = 0; layer < MAX_LAYERS; layer++) {
            captured->disks[disk].fds[layer] = -1;
        }
    }
}

void captured_close(struct captured *captured) {
    close_fd(&captured->memory_fd);
    close_fd(&captured->state_fd);
    for (size_t disk = 0; disk < MAX_DISKS; disk++) {
        for (size_t layer = 0; layer < MAX_LAYERS; layer++) {
            close_fd(&captured->disks[disk].fds[layer]);
        }
    }
}

static bool copy_fd(int from, int *to) {
    *to = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, 3);
    return from < 0 || *to >= 0;
}

bool captured_copy(const struct captured *from, struct captured *to) {
    captured_init(to);
    struct captured copy = *from;
    bool ok = copy_fd(from->memory_fd, &copy.memory_fd);
    ok = copy_fd(from->state_fd, &copy.state_fd) && ok;
    for (size_t disk = 0; disk < MAX_DISKS; disk++) {
        for (size_t layer = 0; layer < MAX_LAYERS; layer++) {
            ok = copy_fd(from->disks[disk].fds[layer], &copy.disks[disk].fds[layer]) && ok;
        }
    }
    if (ok) {
        *to = copy;
    } else {
        captured_close(&copy);
    }
    return ok;
}

void key_to_hex(const uint8_t key[LINK_KEY_BYTES], char hex[2 * LINK_KEY_BYTES + 1]) {
    for (size_t i = 0; i < LINK_KEY_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", key[i]);
    }
}

static bool key_from_hex(const char *hex, uint8_t key[LINK_KEY_BYTES]) {
    if (strlen(hex) != 2 * LINK_KEY_BYTES || strspn(hex, "0123456789abcdef") != 2 * LINK_KEY_BYTES) {
        return false;
    }
    for (size_t i = 0; i < LINK_KEY_BYTES; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        key[i] = (uint8_t)byte;
    }
    return true;
}

char *captured_json(const struct captured *captured, char *out, size_t room) {
    char hex[2 * LINK_KEY_BYTES + 1], processor[2 * sizeof captured->processor];
    key_to_hex(captured->key, hex);
    json_escape(captured->processor, processor, sizeof processor);
    int n = snprintf(out, room,
                     "\"memoryMib\":%u,\"ceilingMib\":%u,\"cpus\":%u,\"key\":\"%s\",\"accel\":\"%s\",\"machine\":\"%s\","
                     "\"qemu\":\"%s\",\"processor\":\"%s\",\"tscKhz\":%llu,\"network\":%s,\"connections\":%s,\"pauseUs\":%llu,\"disks\":[",
                     captured->memory_mib, captured->ceiling_mib, captured->cpus, hex, captured->accel, captured->machine, captured->qemu,
                     processor, (unsigned long long)captured->tsc_khz, captured->network ? "true" : "false", captured->connections ? "true" : "false",
                     (unsigned long long)captured->pause_us);
    for (size_t i = 0; i < captured->disk_count; i++) {
        n += snprintf(out + n, room - (size_t)n, "%s{\"use\":\"%s\",\"size\":%llu,\"layers\":%zu}", i ? "," : "",
                      disk_use_names[captured->disks[i].use], (unsigned long long)captured->disks[i].size,
                      captured->disks[i].layers);
    }
    snprintf(out + n, room - (size_t)n, "]");
    return out;
}

static bool member_string(struct json object, const char *key, char *out, size_t room) {
    struct json value;
    return json_member(object, key, &value) && json_string(value, out, room);
}

static bool member_number(struct json object, const char *key, uint64_t low, uint64_t high, uint64_t *number) {
    struct json value;
    return json_member(object, key, &value) && json_u64(value, number) && *number >= low && *number <= high;
}

static bool parse_disk(struct json object, struct captured_disk *disk) {
    char name[16];
    uint64_t size, layers;
    if (!member_number(object, "size", 512, 1ull << 42, &size) ||
        !member_number(object, "layers", 1, MAX_LAYERS, &layers) || !member_string(object, "use", name, sizeof name)) {
        return false;
    }
    disk->size = size;
    disk->layers = (size_t)layers;
    for (int use = 0; use < DISK_USES; use++) {
        if (strcmp(name, disk_use_names[use]) == 0) {
            disk->use = (enum disk_use)use;
            return use != DISK_MOUNT_LOWER || layers == 1;
        }
    }
    return false;
}

bool captured_parse(struct json object, struct captured *captured, struct error *error) {
    char hex[2 * LINK_KEY_BYTES + 1];
    uint64_t memory, cpus, ceiling;
    struct json disks, disk, network, connections, value;
    if (!member_number(object, "memoryMib", 64, 1 << 20, &memory) || !member_number(object, "cpus", 1, 64, &cpus) ||
        !member_string(object, "key", hex, sizeof hex) || !key_from_hex(hex, captured->key) ||
        !member_string(object, "accel", captured->accel, sizeof captured->accel) ||
        !member_string(object, "machine", captured->machine, sizeof captured->machine) ||
        !member_string(object, "qemu", captured->qemu, sizeof captured->qemu) ||
        !json_member(object, "disks", &disks) || !json_member(object, "network", &network) ||
        !json_member(object, "connections", &connections)) {
        return fail(error, "STATE_INVALID", "the description of the saved machine is incomplete");
    }
    /* Bundles of before there was a limit have none. */
    if (!json_member(object, "ceilingMib", &value)) {
        ceiling = memory;
    } else if (!json_u64(value, &ceiling) || ceiling > memory) {
        return fail(error, "STATE_INVALID", "the description of the saved machine's memory is wrong");
    }
    /* Machines that run since before an upgrade do not tell. */
    if (!member_string(object, "processor", captured->processor, sizeof captured->processor) ||
        !member_number(object, "tscKhz", 0, 100000000, &captured->tsc_khz)) {
        *captured->processor = 0;
        captured->tsc_khz = 0;
    }
    captured->memory_mib = (uint32_t)memory;
    captured->ceiling_mib = (uint32_t)ceiling;
    captured->cpus = (uint32_t)cpus;
    captured->network = json_true(network);
    captured->connections = json_true(connections);
    while (json_element(disks, captured->disk_count, &disk)) {
        if (captured->disk_count == MAX_DISKS || !parse_disk(disk, &captured->disks[captured->disk_count])) {
            return fail(error, "STATE_INVALID", "the description of disk %zu is wrong", captured->disk_count);
        }
        captured->disk_count++;
    }
    if (strcmp(captured->machine, MACHINE_NAME) != 0) {
        return fail(error, "STATE_MACHINE", "it was saved on machine '%s', this VMM makes '" MACHINE_NAME "'",
                    captured->machine);
    }
    return true;
}

size_t captured_fds(const struct captured *captured, int fds[MAX_CAPTURED_FDS]) {
    size_t count = 0;
    fds[count++] = captured->memory_fd;
    if (captured->state_fd >= 0) {
        fds[count++] = captured->state_fd;
    }
    for (size_t disk = 0; disk < captured->disk_count; disk++) {
        for (size_t layer = 0; layer < captured->disks[disk].layers; layer++) {
            fds[count++] = captured->disks[disk].fds[layer];
        }
    }
    return count;
}

size_t captured_count(const struct captured *captured) {
    size_t count = 2;
    for (size_t disk = 0; disk < captured->disk_count; disk++) {
        count += captured->disks[disk].layers;
    }
    return count;
}

bool captured_adopt(struct captured *captured, bool state, const int *fds, size_t count) {
    if (captured_count(captured) - !state != count) {
        for (size_t i = 0; i < count; i++) {
            int fd = fds[i];
            close_fd(&fd);
        }
        return false;
    }
    captured->memory_fd = *fds++;
    captured->state_fd = state ? *fds++ : -1;
    for (size_t disk = 0; disk < captured->disk_count; disk++) {
        for (size_t layer = 0; layer < captured->disks[disk].layers; layer++) {
            captured->disks[disk].fds[layer] = *fds++;
        }
    }
    return true;
}
