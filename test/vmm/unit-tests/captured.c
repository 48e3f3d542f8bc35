/* What is known of a captured machine, and whether it fits this host. */
#include "tests.h"
#include "captured.h"
#include "fit.h"
#include "json.h"
#include "vm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void test_captured(void) {
    struct captured from, to;
    struct error error;
    struct json object;
    char members[4096], text[4200];
    captured_init(&from);
    from.memory_mib = 512;
    from.ceiling_mib = 128;
    from.cpus = 2;
    from.key[0] = 0xab;
    strcpy(from.accel, "tcg");
    strcpy(from.machine, MACHINE_NAME);
    strcpy(from.qemu, "7.2.22");
    strcpy(from.processor, "Made up (R) \"9000\" \\ CPU");
    from.tsc_khz = 2500000;
    from.network = true;
    from.disk_count = MAX_DISKS;
    for (size_t i = 0; i < MAX_DISKS; i++) {
        from.disks[i].size = 4096 << i;
        from.disks[i].layers = i + 1;
    }
    from.disks[0].use = DISK_MOUNT_LOWER;
    from.disks[2].use = DISK_SCRATCH;
    from.disks[3].use = DISK_MOUNT_UPPER;
    snprintf(text, sizeof text, "{%s}", captured_json(&from, members, sizeof members));
    captured_init(&to);
    CHECK(json_parse(text, strlen(text), &object) && captured_parse(object, &to, &error));
    CHECK(to.memory_mib == 512 && to.ceiling_mib == 128 && to.cpus == 2 && memcmp(to.key, from.key, sizeof to.key) == 0 && to.disk_count == MAX_DISKS);
    CHECK(strcmp(to.processor, from.processor) == 0 && to.tsc_khz == from.tsc_khz);
    CHECK(to.network && to.disks[3].size == 4096 << 3 && to.disks[3].layers == 4);
    CHECK(to.disks[0].use == DISK_MOUNT_LOWER && to.disks[1].use == DISK_ROOT && to.disks[2].use == DISK_SCRATCH && to.disks[3].use == DISK_MOUNT_UPPER);
    /* A running machine may have been made by a VMM that did not say where it came from. */
    const char *const old = "{\"memoryMib\":512,\"cpus\":1,\"key\":\"%064d\",\"accel\":\"tcg\",\"machine\":\"" MACHINE_NAME
                            "\",\"qemu\":\"7.2.22\",\"network\":true,\"connections\":false,\"disks\":[]}";
    captured_init(&to);
    snprintf(text, sizeof text, old, 0);
    CHECK(json_parse(text, strlen(text), &object) && captured_parse(object, &to, &error) && !*to.processor && to.tsc_khz == 0 && to.ceiling_mib == 512);
    int few[3] = {dup(0), dup(0), dup(0)};
    CHECK(!captured_adopt(&to, true, few, 3) && fcntl(few[0], F_GETFD) < 0);
    /* What nobody writes has one layer. */
    from.disks[1].use = DISK_MOUNT_LOWER;
    snprintf(text, sizeof text, "{%s}", captured_json(&from, members, sizeof members));
    captured_init(&to);
    CHECK(json_parse(text, strlen(text), &object) && !captured_parse(object, &to, &error));
    from.disks[1].use = DISK_ROOT;
    strcpy(from.machine, "other");
    snprintf(text, sizeof text, "{%s}", captured_json(&from, members, sizeof members));
    captured_init(&to);
    CHECK(json_parse(text, strlen(text), &object) && !captured_parse(object, &to, &error) && strcmp(error.code, "STATE_MACHINE") == 0);
    /* Damage anywhere must be refused or understood, never believed half. */
    for (int round = 0; round < 20000; round++) {
        char damaged[4200];
        strcpy(damaged, text);
        damaged[random_number() % strlen(text)] = (char)(32 + random_number() % 95);
        captured_init(&to);
        if (parse_exact(damaged, strlen(damaged), &object) && captured_parse(object, &to, &error)) {
            CHECK(to.disk_count <= MAX_DISKS && to.memory_mib >= 64 && to.ceiling_mib <= to.memory_mib);
        }
    }
}

void test_fit(void) {
    struct captured saved;
    struct error error;
    captured_init(&saved);
    strcpy(saved.accel, "tcg");
    strcpy(saved.processor, "one");
    saved.tsc_khz = 2500000;
    CHECK(fits_processor(&saved, "another", 2500000, &error) && fits_processor(&saved, "one", 2549000, &error));
    CHECK(fits_processor(&saved, "one", 0, &error));
    CHECK(!fits_processor(&saved, "one", 2551000, &error) && strcmp(error.code, "STATE_PROCESSOR") == 0);
    CHECK(!fits_processor(&saved, "one", 1250000, &error) && strstr(error.message, "MACHINEN_TSC_KHZ=2500000"));
    saved.tsc_khz = 0;
    CHECK(fits_processor(&saved, "one", 1250000, &error));
    strcpy(saved.accel, "kvm");
    CHECK(fits_processor(&saved, "one", 1250000, &error) && !fits_processor(&saved, "another", 0, &error));
    CHECK(strcmp(error.code, "STATE_PROCESSOR") == 0 && strstr(error.message, "'one'") && strstr(error.message, "'another'"));
    CHECK(fits_qemu("7.2.22", "7.2.22", &error) && fits_qemu("7.2.22", "7.2.3", &error) && fits_qemu("7.2.22", "7.2", &error));
    const char *const others[] = {"7.20.1", "7.1.22", "8.2.22", "7", "", "17.2.22"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK(!fits_qemu("7.2.22", others[i], &error) && strcmp(error.code, "STATE_QEMU") == 0);
    }
}
