/* What the environment may say. */
#include "tests.h"
#include "config.h"

#include <stdio.h>
#include <string.h>

static const char *const *environment;

static char *from_environment(const char *name) {
    for (const char *const *pair = environment; pair[0]; pair += 2) {
        if (strcmp(pair[0], name) == 0) {
            return (char *)pair[1];
        }
    }
    return NULL;
}

static bool read_config(struct config *config, const char *const *pairs, char message[400]) {
    struct error error = {0};
    environment = pairs;
    bool ok = config_read(config, from_environment, &error);
    snprintf(message, 400, "%s: %s", error.code, error.message);
    return ok;
}

#define REFUSED(part, ...)                                                                                     \
    do {                                                                                                       \
        const char *const pairs[] = {"MACHINEN_KERNEL", "/k", __VA_ARGS__, NULL, NULL};                        \
        CHECK(!read_config(&config, pairs, message));                                                          \
        CHECK(strncmp(message, "CONFIG_INVALID: ", 16) == 0 && strstr(message, part));                         \
    } while (0)

void test_config(void) {
    struct config config;
    char message[400], long_path[200] = "in:1:/";
    const char *const plain[] = {"MACHINEN_KERNEL", "/k", NULL, NULL};
    CHECK(read_config(&config, plain, message) && config.memory_mib == 512 && config.cpus == 1 && config.forward_count == 0);
    CHECK(config.accel == ACCEL_PROBE && strcmp(config.qemu, "qemu-system-x86_64") == 0);
    const char *const full[] = {"MACHINEN_INCOMING", "fork:/c", "MACHINEN_VSOCK", "in:1978:/a:b,in:65535:rel", "MACHINEN_ACCEL", "kvm",
                                "MACHINEN_MEMORY", "1024", "MACHINEN_STATS_FILE", "", NULL, NULL};
    CHECK(read_config(&config, full, message) && strcmp(config.incoming_fork, "/c") == 0 && config.memory_mib == 1024);
    CHECK(config.forward_count == 2 && config.forwards[0].port == 1978 && strcmp(config.forwards[0].path, "/a:b") == 0);
    CHECK(config.forwards[1].port == 65535 && strcmp(config.forwards[1].path, "rel") == 0 && !config.stats_file);
    const char *const nothing[] = {NULL, NULL};
    CHECK(!read_config(&config, nothing, message) && strstr(message, "MACHINEN_KERNEL: is not set"));
    REFUSED("MACHINEN_MEMORY", "MACHINEN_MEMORY", "12");
    REFUSED("MACHINEN_MEMORY", "MACHINEN_MEMORY", "512M");
    REFUSED("MACHINEN_MEMORY", "MACHINEN_MEMORY", "99999999999999999999999");
    REFUSED("MACHINEN_CPUS", "MACHINEN_CPUS", "0");
    REFUSED("MACHINEN_ACCEL", "MACHINEN_ACCEL", "hvf");
    REFUSED("MACHINEN_TSC_KHZ", "MACHINEN_TSC_KHZ", "-1");
    REFUSED("MACHINEN_INCOMING", "MACHINEN_INCOMING", "fork:");
    REFUSED("MACHINEN_INCOMING", "MACHINEN_INCOMING", "file:/x");
    REFUSED("MACHINEN_INCOMING", "MACHINEN_INCOMING", "template:");
    REFUSED("MACHINEN_SCRATCH_DISK", "MACHINEN_SCRATCH_DISK", "/file", "MACHINEN_INCOMING", "fork:/c");
    REFUSED("MACHINEN_SCRATCH_DISK", "MACHINEN_SCRATCH_DISK", "/file", "MACHINEN_INCOMING", "bundle:/b");
    const char *const own_disk[] = {"MACHINEN_INCOMING", "template:/t", "MACHINEN_SCRATCH_DISK", "/file", NULL, NULL};
    CHECK(read_config(&config, own_disk, message) && strcmp(config.scratch_disk, "/file") == 0);
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "token");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "token:0");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "token:257");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "a b:2");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", ":2");
    REFUSED("MACHINEN_TEMPLATE", "MACHINEN_TEMPLATE", "a b");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "1978:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:1978");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:1978:");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in::/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:0:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:65536:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:19780000000:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:1:/a,,in:2:/b");
    memset(long_path + 6, 'x', 150);
    REFUSED("1 to 107 bytes", "MACHINEN_VSOCK", long_path);
    REFUSED("1 to 107 bytes", "MACHINEN_CONTROL", long_path);
    REFUSED("MACHINEN_BASE", "MACHINEN_BASE", long_path);
}
