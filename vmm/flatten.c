#include "flatten.h"
#include "loop.h"

#include <stdio.h>
#include <string.h>

/* A disk with more layers is joined; with as many as the second, captures wait for that. */
#define LONG_CHAIN 8
#define LONGEST_CHAIN 40
#define SETTLE_MS 30000
/* After a failure, so that a full disk is not tried again and again; after a capture, which others may follow. */
#define RETRY_US 30000000ull
#define REST_US 1000000ull

static uint64_t not_before;

void flatten_event(struct vm *vm, const char *name, struct json data) {
    struct json value;
    char job[32], wanted[32];
    bool done = strcmp(name, "BLOCK_JOB_COMPLETED") == 0, cancelled = strcmp(name, "BLOCK_JOB_CANCELLED") == 0;
    if ((!done && !cancelled) || !json_member(data, "device", &value) || !json_string(value, job, sizeof job)) {
        return;
    }
    for (size_t i = 0; i < vm->disk_count; i++) {
        snprintf(wanted, sizeof wanted, "flatten-d%zu", i);
        if (strcmp(job, wanted) == 0) {
            vm->disks[i].flatten = done && !json_member(data, "error", &value) ? FLATTEN_DONE : FLATTEN_FAILED;
        }
    }
}

static void tidy(struct vm *vm, struct disk *disk) {
    if (disk->flatten == FLATTEN_DONE) {
        disk_flattened(disk, &vm->qmp);
    } else if (disk->flatten == FLATTEN_FAILED) {
        not_before = now_us() + RETRY_US;
    }
    disk->flatten = FLATTEN_IDLE;
}

static bool settle(struct vm *vm, struct disk *disk, struct error *error) {
    struct error ignored;
    bool wait = disk->layers >= LONGEST_CHAIN;
    if (!wait) {
        /* Refused when it has just ended: its event says so. */
        qmp_command(&vm->qmp, -1, NULL, &ignored,
                    "{\"execute\":\"block-job-cancel\",\"arguments\":{\"device\":\"flatten-d%u\",\"force\":true}}\n", disk->index);
    }
    uint64_t end = now_us() + SETTLE_MS * 1000ull;
    while (disk->flatten == FLATTEN_RUNS) {
        if (now_us() > end) {
            return fail(error, "DISK_FAILED", "joining the layers of disk %u takes too long", disk->index);
        }
        if (!qmp_wait_event(&vm->qmp, SETTLE_MS, error)) {
            return false;
        }
    }
    tidy(vm, disk);
    return true;
}

static void begin(struct vm *vm, struct disk *disk) {
    struct error error;
    disk->flatten = FLATTEN_RUNS;
    /* An empty name in the overlay's header: whoever opens it says what is below. */
    if (!qmp_command(&vm->qmp, -1, NULL, &error,
                     "{\"execute\":\"block-stream\",\"arguments\":{\"job-id\":\"flatten-d%u\",\"device\":\"d%u-l%u\","
                     "\"base-node\":\"d%u-l%u\",\"backing-file\":\"\"}}\n",
                     disk->index, disk->index, disk->top_id, disk->index, disk->ids[0])) {
        disk->flatten = FLATTEN_FAILED;
        tidy(vm, disk);
    }
}

bool flatten_settle(struct vm *vm, struct error *error) {
    for (size_t i = 0; i < vm->disk_count; i++) {
        struct disk *disk = &vm->disks[i];
        if (disk->layers >= LONGEST_CHAIN && disk->flatten == FLATTEN_IDLE) {
            begin(vm, disk);
        }
        if (disk->flatten != FLATTEN_IDLE && !settle(vm, disk, error)) {
            return false;
        }
    }
    not_before = now_us() + REST_US > not_before ? now_us() + REST_US : not_before;
    return true;
}

void flatten_tick(struct vm *vm) {
    for (size_t i = 0; i < vm->disk_count; i++) {
        struct disk *disk = &vm->disks[i];
        if (disk->flatten == FLATTEN_DONE || disk->flatten == FLATTEN_FAILED) {
            tidy(vm, disk);
        }
        if (disk->flatten == FLATTEN_IDLE && disk->layers > LONG_CHAIN && !vm->paused && now_us() >= not_before) {
            begin(vm, disk);
        }
    }
}
