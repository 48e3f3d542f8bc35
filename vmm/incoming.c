#include "incoming.h"
#include "adopt.h"
#include "bundle.h"
#include "copy.h"
#include "fault.h"
#include "files.h"
#include "fit.h"
#include "lazy.h"
#include "loop.h"
#include "mount-disks.h"
#include "order.h"
#include "probe.h"
#include "qemu.h"
#include "request.h"
#include "trace.h"
#include "tsc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOAD_MS 60000
/* A machine that could spare us a copy is not worth more than the copy takes. */
#define BASE_ANSWER_MS 100
#define SOURCE_ANSWER_MS 120000

static int qemu_greet(struct error *error) {
    uint64_t at = now_us();
    if (!qmp_open(&vm.qmp, vm.qmp_fd, vm_event, error)) {
        return EXIT_QEMU;
    }
    trace("greeting", at);
    fault(RESUME_GREETED);
    return !vm.resuming || fits_qemu(vm.saved_by, vm.qmp.version, error) ? 0 : EXIT_INCOMING;
}

static int qemu_launch(struct error *error) {
    uint64_t at = now_us();
    if (!qemu_spawn(&vm, error)) {
        return EXIT_QEMU;
    }
    trace("spawn", at);
    fault(RESUME_SPAWNED);
    return 0;
}

int qemu_begin(struct error *error) {
    int status = qemu_launch(error);
    return status ? status : qemu_greet(error);
}

/* QEMU lets the guest run as soon as its state is complete, and ends when it cannot make sense of it. */
static int load(struct error *error) {
    uint64_t at = now_us();
    int status;
    bool ok = qmp_command(&vm.qmp, vm.incoming_fd, NULL, error,
                          "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"state\"}}\n") &&
              qmp_command(&vm.qmp, -1, NULL, error, "{\"execute\":\"migrate-incoming\",\"arguments\":{\"uri\":\"fd:state\"}}\n");
    while (ok && !vm.running) {
        ok = qmp_wait_event(&vm.qmp, LOAD_MS, error);
    }
    close_fd(&vm.incoming_fd);
    if (!ok) {
        if (strcmp(error->code, "INTERRUPTED") != 0 || qemu_ended(&vm, &status)) {
            fail(error, "STATE_INVALID", "QEMU could not load the device state");
        }
        return EXIT_INCOMING;
    }
    trace("load", at);
    fault(RESUME_LOADED);
    return 0;
}

/* The child's QEMU is ready before its source is stopped. */
static int over_base(int source, struct captured *base, const char *directory, struct error *error) {
    if (!adopt_shape(base, error) || !adopt_disks(base, false, directory, error)) {
        return EXIT_INCOMING;
    }
    adopt_memory(base);
    int status = qemu_begin(error);
    return status ? status : order_await(source, error) ? 0 : EXIT_INCOMING;
}

static bool take_delta(struct captured *delta, struct error *error) {
    uint64_t at = now_us();
    if (delta->disk_count != vm.disk_count || delta->memory_mib != vm.memory_mib) {
        return fail(error, "STATE_INVALID", "the source machine has changed its shape");
    }
    if (!delta_inject(delta->memory_fd, &vm.memory, vm.qemu, error)) {
        return false;
    }
    at = trace("inject", at);
    fault(RESUME_INJECTED);
    for (size_t i = 0; i < vm.disk_count; i++) {
        if (!disk_attach(&vm.disks[i], &delta->disks[i], &vm.qmp, error)) {
            return false;
        }
    }
    trace("attach", at);
    fault(RESUME_ATTACHED);
    return adopt_state(delta, error);
}

static int over_copy(struct captured *copy, const char *directory, struct error *error) {
    bool ok = adopt_shape(copy, error) && adopt_disks(copy, true, directory, error) && adopt_state(copy, error);
    if (vm.config->memory_limit) {
        ok = ok && copy_own(copy->memory_fd, (uint64_t)copy->memory_mib << 20, &vm.memory, error);
        close_fd(&copy->memory_fd);
    } else {
        adopt_memory(copy);
    }
    return ok ? qemu_begin(error) : EXIT_INCOMING;
}

static bool capture_from(int source, bool delta, struct captured *out, struct error *error) {
    char request[128];
    const char *group = vm.config->fork_group;
    uint64_t at = now_us();
    snprintf(request, sizeof request, "capture%s%s%s\n", delta ? " delta" : "", *group ? " " : "", group);
    bool ok = request_capture(source, request, out, error);
    trace("capture", at);
    fault(RESUME_CAPTURED);
    return ok;
}

static int from_source(int source, const char *directory, struct error *error) {
    struct captured base, captured;
    uint64_t at = now_us();
    int status = 0;
    bool own = vm.config->memory_limit != 0, shared = !own && request_base(source, SOURCE_ANSWER_MS, &base, error);
    trace("base", at);
    fault(RESUME_BASE);
    if (shared) {
        status = over_base(source, &base, directory, error);
        captured_close(&base);
    } else if (!own && strcmp(error->code, "NO_BASE") != 0 && strcmp(error->code, "DELTA_LARGE") != 0) {
        status = EXIT_INCOMING;
    } else {
        status = order_await(source, error) ? 0 : EXIT_INCOMING;
    }
    if (status == 0) {
        status = capture_from(source, shared, &captured, error) ? 0 : EXIT_INCOMING;
    }
    if (status == 0) {
        status = !shared ? over_copy(&captured, directory, error) : take_delta(&captured, error) ? 0 : EXIT_INCOMING;
        captured_close(&captured);
    }
    return status ? status : load(error);
}

static int from_fork(const char *directory, struct error *error) {
    int source = request_connect(vm.config->incoming_fork, error);
    int status = source < 0 ? EXIT_INCOMING : from_source(source, directory, error);
    close_fd(&source);
    return status;
}

/* The memory of a machine that started from the same template; -1 when none answers. */
static int find_base(uint64_t size) {
    const struct config *config = vm.config;
    struct captured base;
    struct error ignored;
    int found = -1;
    for (size_t i = 0; config->template && found < 0 && i < config->base_count; i++) {
        int source = request_connect(config->bases[i], &ignored);
        if (source >= 0 && request_base(source, BASE_ANSWER_MS, &base, &ignored)) {
            if (strcmp(base.template, config->template) == 0 && is_sealed(base.memory_fd, size)) {
                found = base.memory_fd;
                base.memory_fd = -1;
            }
            captured_close(&base);
        }
        close_fd(&source);
    }
    return found;
}

/* The file is copied while QEMU starts; until its state is loaded QEMU touches no page of it. */
static int fill_and_begin(int file, struct error *error) {
    int status = qemu_launch(error);
    uint64_t at = now_us();
    if (status == 0 && (!copy_data(file, vm.memory.fd, vm.memory.size, error) || !seal(vm.memory.fd))) {
        status = EXIT_INCOMING;
    }
    trace("fill", at);
    return status ? status : qemu_greet(error);
}

static int from_template(const char *directory, struct error *error) {
    struct captured captured;
    uint64_t at = now_us();
    if (!template_read(vm.config->incoming_template, vm.config->verify, &captured, error)) {
        return EXIT_INCOMING;
    }
    if (!mount_disks_replace(vm.config, &captured, error)) {
        captured_close(&captured);
        return EXIT_INCOMING;
    }
    fault(RESUME_BASE);
    uint64_t size = (uint64_t)captured.memory_mib << 20;
    int base = find_base(size), file = captured.memory_fd, status = EXIT_INCOMING;
    captured.memory_fd = base >= 0 ? base : memfd_new("machinen-ram", size);
    at = trace("base", at);
    if (captured.memory_fd < 0) {
        fail(error, "NO_SPACE", "guest memory: %s", strerror(errno));
    } else if (adopt_shape(&captured, error) && adopt_disks(&captured, true, directory, error) && adopt_state(&captured, error)) {
        adopt_memory(&captured);
        snprintf(vm.template, sizeof vm.template, "%s", vm.config->template ? vm.config->template : "");
        status = base >= 0 ? qemu_begin(error) : fill_and_begin(file, error);
    }
    close_fd(&file);
    captured_close(&captured);
    return status ? status : load(error);
}

/* QEMU opens what it is to map for writing, which a bundle is not for: it starts over memory that holds nothing. */
static int over_file(struct captured *from, const char *directory, struct error *error) {
    int file = from->memory_fd;
    from->memory_fd = memfd_new("machinen-ram", (uint64_t)from->memory_mib << 20);
    if (from->memory_fd < 0) {
        fail(error, "NO_SPACE", "guest memory: %s", strerror(errno));
        close_fd(&file);
        return EXIT_INCOMING;
    }
    int status = over_copy(from, directory, error);
    if (status != 0) {
        close_fd(&file);
        return status;
    }
    return lazy_map(&vm, file, error) ? 0 : EXIT_INCOMING;
}

static int from_bundle(const char *directory, struct error *error) {
    struct captured captured;
    /* The bundle is read meanwhile. */
    struct tsc_moment began = tsc_now();
    const char *const places[DISK_USES] = {[DISK_MOUNT_LOWER] = vm.config->mount_lower, [DISK_MOUNT_UPPER] = vm.config->mount_upper};
    bool lazy = vm.config->lazy && vm.config->memory_limit == 0;
    if (vm.config->lazy && !lazy) {
        lazy_refused("a machine with another memory limit than its source's has memory of its own");
    }
    if (!bundle_read(vm.config->incoming_bundle, places, lazy, &captured, error)) {
        return EXIT_INCOMING;
    }
    fault(RESUME_BASE);
    char processor[sizeof captured.processor];
    probe_processor(processor, sizeof processor);
    uint64_t tsc_khz = vm.config->tsc_khz ? vm.config->tsc_khz : tsc_khz_since(began);
    bool fits = fits_processor(&captured, processor, tsc_khz, error);
    int status = !fits                                ? EXIT_INCOMING
                 : is_sealed(captured.memory_fd, 0) ? over_copy(&captured, directory, error)
                                                    : over_file(&captured, directory, error);
    captured_close(&captured);
    return status ? status : load(error);
}

int incoming_begin(const char *overlay_directory, struct error *error) {
    const struct config *config = vm.config;
    return config->incoming_fork       ? from_fork(overlay_directory, error)
           : config->incoming_template ? from_template(overlay_directory, error)
                                       : from_bundle(overlay_directory, error);
}
