#include "capture.h"
#include "files.h"
#include "forward.h"
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Left to the host beside the copy. */
#define SPARE_BYTES (64ull << 20)

bool capture_release(struct vm *vm, struct error *error) {
    if (!qmp_command(&vm->qmp, -1, NULL, error, "{\"execute\":\"cont\"}\n")) {
        return false;
    }
    vm->paused = false;
    return true;
}

static bool allowed(const struct vm *vm, struct error *error) {
    if (vm->paused) {
        return fail(error, "CAPTURE_BUSY", "another capture holds this machine");
    }
    if (!forward_linked()) {
        return fail(error, "VM_NOT_READY", "the guest has not come up yet");
    }
    uint64_t needed = memory_touched(&vm->memory, vm->qemu) + SPARE_BYTES;
    if (needed > host_available()) {
        return fail(error, "NO_SPACE", "the copy needs %llu MiB of memory, the host has %llu",
                    (unsigned long long)needed >> 20, (unsigned long long)host_available() >> 20);
    }
    return true;
}

/* QEMU rewrites the one state file at every capture, so what is handed out is a copy. */
static int state_copy(const struct vm *vm, struct error *error) {
    struct stat info;
    int fd = -1;
    if (fstat(vm->state_fd, &info) != 0 || info.st_size == 0 ||
        (fd = memfd_new("machinen-state", (uint64_t)info.st_size)) < 0 ||
        !copy_data(vm->state_fd, fd, (uint64_t)info.st_size, error) || !seal(fd)) {
        fail(error, errno == ENOSPC || errno == ENOMEM ? "NO_SPACE" : "COPY_FAILED", "the device state: %s",
             strerror(errno));
        close_fd(&fd);
    }
    return fd;
}

static bool capture_stopped(struct vm *vm, struct next_overlay *next, struct captured *out, struct error *error) {
    if (!qmp_command(&vm->qmp, -1, NULL, error,
                     "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/proc/self/fd/%d\",\"live\":false}}\n",
                     vm->state_fd)) {
        return false;
    }
    for (size_t i = 0; i < vm->disk_count; i++) {
        if (!disk_freeze(&vm->disks[i], &vm->qmp, &next[i], error) ||
            !disk_export(&vm->disks[i], &out->disks[i], error)) {
            return false;
        }
    }
    out->disk_count = vm->disk_count;
    out->memory_fd = memory_copy(&vm->memory, vm->qemu, error);
    out->state_fd = out->memory_fd < 0 ? -1 : state_copy(vm, error);
    forward_key(out->key);
    return out->state_fd >= 0;
}

bool capture(struct vm *vm, bool hold, struct captured *out, struct error *error) {
    struct next_overlay next[MAX_DISKS];
    size_t prepared = 0;
    captured_init(out);
    bool ok = allowed(vm, error);
    while (ok && prepared < vm->disk_count) {
        ok = disk_prepare(&vm->disks[prepared], &vm->qmp, &next[prepared], error);
        prepared += ok;
    }
    uint64_t start = now_us();
    if (ok && (ok = qmp_command(&vm->qmp, -1, NULL, error, "{\"execute\":\"stop\"}\n"))) {
        vm->paused = true;
        ok = capture_stopped(vm, next, out, error);
        if (!ok || !hold) {
            struct error other;
            bool released = capture_release(vm, &other);
            if (ok && !released) {
                *error = other;
                ok = false;
            }
        }
    }
    out->pause_us = now_us() - start;
    for (size_t i = 0; i < prepared; i++) {
        disk_forget(&vm->disks[i], &vm->qmp, &next[i]);
    }
    out->memory_mib = vm->memory_mib;
    out->cpus = vm->cpus;
    snprintf(out->accel, sizeof out->accel, "%s", vm->accel == ACCEL_KVM ? "kvm" : "tcg");
    snprintf(out->machine, sizeof out->machine, MACHINE_NAME);
    snprintf(out->qemu, sizeof out->qemu, "%s", vm->qmp.version);
    if (!ok) {
        captured_close(out);
    }
    return ok;
}
