/* Run under ASan and UBSan by unit.test.ts: `unit-tests <name> [file]`. */
#include "tests.h"
#include "cgroup-memory.h"
#include "qcow2.h"
#include "run-dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t random_state = 12345;

uint32_t random_number(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

bool parse_exact(const char *text, size_t length, struct json *value) {
    static char *held;
    free(held);
    held = malloc(length ? length : 1);
    memcpy(held, text, length);
    return json_parse(held, length, value);
}

static void test_run_dir(const char *path) {
    struct error error;
    CHECK(run_dir_check(path, &error));
    run_dir_remove(path);
}

static const struct {
    const char *name;
    void (*run)(void);
} plain[] = {
    {"json", test_json},
    {"json-fuzz", test_json_fuzz},
    {"copy", test_copy},
    {"sha256", test_sha256},
    {"config", test_config},
    {"captured", test_captured},
    {"fit", test_fit},
    {"frames", test_frames},
    {"frame-filter", test_frame_filter},
    {"ports", test_ports},
    {"delta", test_delta},
    {"lease-signal", test_lease_signal},
    {"livemount-check", test_livemount_check},
};

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(name, plain[i].name) == 0) {
            plain[i].run();
            return 0;
        }
    }
    if (strcmp(name, "qcow2") == 0 && argc == 4) {
        test_qcow2(argv[2], argv[3]);
    } else if (strcmp(name, "qcow2-check") == 0 && argc == 3) {
        if (!qcow2_is_self_contained(open(argv[2], O_RDONLY))) {
            fprintf(stderr, "names other files\n");
            return 1;
        }
    } else if (strcmp(name, "self-contained") == 0 && argc == 3) {
        test_self_contained(argv[2]);
    } else if (strcmp(name, "join") == 0 && argc > 4 && argc < 12) {
        test_join(argv + 3, argc - 3, strtoull(argv[2], NULL, 10));
    } else if (strcmp(name, "join-fuzz") == 0 && argc == 5) {
        test_join_fuzz(argv[3], argv[4], strtoull(argv[2], NULL, 10));
    } else if (strcmp(name, "cgroup") == 0 && argc == 4) {
        printf("%llu", (unsigned long long)cgroup_available(argv[2], argv[3]));
    } else if (strcmp(name, "run-dir") == 0 && argc == 3) {
        test_run_dir(argv[2]);
    } else {
        fprintf(stderr, "no such test\n");
        return 2;
    }
    return 0;
}
