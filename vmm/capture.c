#include "capture.h"
#include "balloon.h"
#include "fault.h"
#include "files.h"
#include "flatten.h"
#include "forward.h"
#include "loop.h"
#include "network.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A larger delta is better made a base of its own, which more children can then share. */
#define MOST_DELTA_BYTES (64ull << 20)

bool capture_release(struct vm *vm, struct error *error) {
    if (!qmp_command(&vm->qmp, -1, NULL, error, "{\"execute\":\"cont\"}\n")) {
        return false;
    }
    vm->paused = false;
    return true;
}

static bool allowed(const struct vm *vm, enum copy_kind kind, struct error *error) {
    if (vm->paused) {
        return fail(error, "CAPTURE_BUSY", "another capture holds this machine");
    }
    if (!forward_ready()) {
        return fail(error, "VM_NOT_READY", "the guest has not come up yet");
    }
    if (kind == COPY_DELTA && (vm->memory.shared || vm->memory.leased)) {
        return fail(error, "NO_BASE", "this machine's memory is not sealed");
    }
    return true;
}

static void describe(const struct vm *vm, struct captured *out) {
    forward_key(out->key);
    out->memory_mib = vm->memory_mib;
    out->ceiling_mib = vm->memory_mib - (uint32_t)(vm->inflated_bytes >> 20);
    out->cpus = vm->cpus;
    out->network = !vm->network_off;
    out->connections = network_has_connections();
    snprintf(out->accel, sizeof out->accel, "%s", vm->accel == ACCEL_KVM ? "kvm" : "tcg");
    snprintf(out->machine, sizeof out->machine, MACHINE_NAME);
    snprintf(out->qemu, sizeof out->qemu, "%s", vm->qmp.version);
    snprintf(out->processor, sizeof out->processor, "%s", vm->processor);
    out->tsc_khz = vm->tsc_khz;
    out->disk_count = vm->disk_count;
}

bool capture_base(struct vm *vm, struct captured *out, struct error *error) {
    captured_init(out);
    if (!allowed(vm, COPY_DELTA, error)) {
        return false;
    }
    uint64_t own = memory_private(&vm->memory, vm->qemu);
    if (own > MOST_DELTA_BYTES) {
        return fail(error, "DELTA_LARGE", "%llu MiB are not in the base", (unsigned long long)own >> 20);
    }
    describe(vm, out);
    snprintf(out->template, sizeof out->template, "%s", vm->template);
    out->memory_fd = fcntl(vm->memory.fd, F_DUPFD_CLOEXEC, 3);
    bool ok = out->memory_fd >= 0 || fail(error, "COPY_FAILED", "a descriptor: %s", strerror(errno));
    for (size_t i = 0; ok && i < vm->disk_count; i++) {
        ok = disk_export(&vm->disks[i], &out->disks[i], error);
    }
    if (!ok) {
        captured_close(out);
    }
    return ok;
}

/* QEMU rewrites the one state file at every capture, so what is handed out is a copy. */
static int state_copy(const struct vm *vm, struct error *error) {
    struct stat info;
    int fd = -1;
    if (fstat(vm->state_fd, &info) != 0 || info.st_size == 0 ||
        (fd = memfd_new("machinen-state", (uint64_t)info.st_size)) < 0 ||
        !copy_data(vm->state_fd, fd, (uint64_t)info.st_size, error) || !seal(fd)) {
        fail(error, no_space_left() ? "NO_SPACE" : "COPY_FAILED", "the device state: %s",
             strerror(errno));
        close_fd(&fd);
    }
    return fd;
}

/* Only what has to happen in one moment. */
static bool capture_stopped(struct vm *vm, struct next_overlay *next, struct copy *memory, struct error *error) {
    uint64_t at = now_us();
    fault(CAPTURE_STOPPED);
    if (!qmp_command(&vm->qmp, -1, NULL, error,
                     "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/proc/self/fd/%d\",\"live\":false}}\n",
                     vm->state_fd)) {
        return false;
    }
    at = trace("save", at);
    fault(CAPTURE_SAVED);
    for (size_t i = 0; i < vm->disk_count; i++) {
        if (!disk_freeze(&vm->disks[i], &vm->qmp, &next[i], error)) {
            return false;
        }
    }
    at = trace("freeze", at);
    fault(CAPTURE_FROZEN);
    bool ok = copy_take(memory, error);
    trace("copy", at);
    fault(CAPTURE_COPIED);
    return ok;
}

static bool stop_and_take(struct vm *vm, bool hold, struct next_overlay *next, struct copy *memory, uint64_t *pause_us,
                          struct error *error) {
    uint64_t start = now_us();
    if (!qmp_command(&vm->qmp, -1, NULL, error, "{\"execute\":\"stop\"}\n")) {
        return false;
    }
    vm->paused = true;
    trace("stop", start);
    bool ok = capture_stopped(vm, next, memory, error);
    if (!ok || !hold) {
        struct error other;
        bool released = capture_release(vm, &other);
        if (ok && !released) {
            *error = other;
            ok = false;
        }
    }
    *pause_us = now_us() - start;
    trace("pause", start);
    fault(CAPTURE_CONTINUED);
    return ok;
}

/* The rest of the answer, which nobody needs to wait for stopped. */
static bool collect(struct vm *vm, struct captured *out, struct error *error) {
    describe(vm, out);
    for (size_t i = 0; i < vm->disk_count; i++) {
        if (!disk_export(&vm->disks[i], &out->disks[i], error)) {
            return false;
        }
    }
    out->state_fd = state_copy(vm, error);
    return out->state_fd >= 0;
}

bool capture(struct vm *vm, enum copy_kind kind, bool hold, struct captured *out, struct error *error) {
    struct next_overlay next[MAX_DISKS];
    struct copy memory;
    size_t prepared = 0;
    uint64_t at = now_us();
    captured_init(out);
    if (!allowed(vm, kind, error) || !flatten_settle(vm, error) || !copy_begin(&memory, kind, &vm->memory, vm->qemu, error)) {
        return false;
    }
    bool ok = true;
    at = trace("room", at);
    while (ok && prepared < vm->disk_count) {
        ok = disk_prepare(&vm->disks[prepared], &vm->qmp, &next[prepared], error);
        prepared += ok;
    }
    trace("overlays", at);
    balloon_hold();
    fault(CAPTURE_PREPARED);
    ok = ok && stop_and_take(vm, hold, next, &memory, &out->pause_us, error);
    at = now_us();
    ok = ok && collect(vm, out, error);
    out->memory_fd = copy_end(&memory, ok, error);
    for (size_t i = 0; i < prepared; i++) {
        disk_forget(&vm->disks[i], &vm->qmp, &next[i]);
    }
    trace("collect", at);
    if (out->memory_fd < 0) {
        captured_close(out);
        if (hold && vm->paused) {
            struct error ignored;
            capture_release(vm, &ignored);
        }
    }
    return out->memory_fd >= 0;
}
