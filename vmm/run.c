#include "run.h"
#include "balloon.h"
#include "console.h"
#include "control.h"
#include "fault.h"
#include "files.h"
#include "flatten.h"
#include "forward.h"
#include "full-disk.h"
#include "group.h"
#include "incoming.h"
#include "lazy.h"
#include "leash.h"
#include "livemount.h"
#include "loop.h"
#include "network.h"
#include "probe.h"
#include "qemu.h"
#include "remap.h"
#include "resume.h"
#include "run-dir.h"
#include "scratch-disk.h"
#include "stats.h"
#include "trace.h"
#include "tsc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <linux/magic.h>

struct vm vm = {.kernel_fd = -1, .initrd_fd = -1, .state_fd = -1, .incoming_fd = -1, .memory = {.fd = -1}};
static int fatal_signal;
static bool resume_failed;
static struct error resume_error;

/* Overlays may grow to the size of the disk: better not in memory. */
static const char *overlay_directory(const struct config *config) {
    const char *const wanted[] = {config->run_dir, getenv("TMPDIR"), "/var/tmp", "/tmp"};
    const char *usable = "/tmp";
    if (config->disk_dir) {
        return config->disk_dir;
    }
    for (size_t i = sizeof wanted / sizeof *wanted; i-- > 0;) {
        struct statfs info;
        const char *directory = wanted[i];
        if (directory && *directory && access(directory, W_OK | X_OK) == 0 && statfs(directory, &info) == 0 &&
            info.f_type != TMPFS_MAGIC && info.f_type != RAMFS_MAGIC) {
            usable = directory;
        }
    }
    return usable;
}

/* Under KVM the guest can be only as fast as asked for: an explicit `kvm` that cannot work is an error. */
static bool choose_accel(struct error *error) {
    const struct config *config = vm.config;
    vm.accel = ACCEL_TCG;
    probe_processor(vm.processor, sizeof vm.processor);
    if (config->accel == ACCEL_TCG) {
        snprintf(vm.accel_reason, sizeof vm.accel_reason, "MACHINEN_ACCEL says so");
    } else if (probe_kvm(vm.accel_reason, sizeof vm.accel_reason)) {
        vm.accel = ACCEL_KVM;
    } else if (config->accel == ACCEL_KVM) {
        return fail(error, "ACCEL_UNUSABLE", "MACHINEN_ACCEL=kvm: %s", vm.accel_reason);
    }
    if (vm.accel == ACCEL_TCG) {
        vm.tsc_khz = config->tsc_khz ? config->tsc_khz : tsc_khz_since(tsc_now());
    }
    return true;
}

/* QEMU reopens the file by number as its own user: what that user may not read is copied first. */
static bool open_boot_file(const char *variable, const char *path, int *fd, struct error *error) {
    struct stat info;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 || fstat(*fd, &info) != 0) {
        return fail(error, "CONFIG_INVALID", "%s: %.200s: %s", variable, path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        return fail(error, "CONFIG_INVALID", "%s: %.200s: is empty or no file", variable, path);
    }
    if (geteuid() == 0 && !(info.st_mode & S_IROTH)) {
        int copy = memfd_new("machinen-boot", (uint64_t)info.st_size);
        if (copy < 0 || !copy_data(*fd, copy, (uint64_t)info.st_size, error)) {
            close_fd(&copy);
            return fail(error, "NO_SPACE", "%s: %s", variable, strerror(errno));
        }
        close_fd(fd);
        *fd = copy;
    }
    return true;
}

static bool open_disk(enum disk_use use, const char *path, uint64_t size, struct error *error) {
    unsigned index = (unsigned)vm.disk_count;
    if (!path) {
        return true;
    }
    vm.disk_count++;
    if (use == DISK_SCRATCH) {
        return scratch_disk_open(&vm.disks[index], index, size, overlay_directory(vm.config), error);
    }
    return disk_open(&vm.disks[index], index, use, path, size, overlay_directory(vm.config), error);
}

static bool prepare_boot(struct error *error) {
    const struct config *config = vm.config;
    vm.memory_mib = config->memory_mib;
    vm.cpus = config->cpus;
    vm.network_off = config->network_off;
    if (!open_boot_file("MACHINEN_KERNEL", config->kernel, &vm.kernel_fd, error) ||
        (config->initrd && !open_boot_file("MACHINEN_INITRD", config->initrd, &vm.initrd_fd, error))) {
        return false;
    }
    if (!open_disk(DISK_ROOT, config->rootdisk, config->rootdisk_size, error) ||
        !open_disk(DISK_SCRATCH, config->scratch_disk, 0, error) ||
        !open_disk(DISK_MOUNT_LOWER, config->mount_lower, 0, error) ||
        !open_disk(DISK_MOUNT_UPPER, config->mount_upper, 0, error)) {
        return false;
    }
    vm.memory = (struct memory){.fd = memfd_new("machinen-ram", (uint64_t)vm.memory_mib << 20), .shared = true, .size = (uint64_t)vm.memory_mib << 20};
    vm.state_fd = memfd_new("machinen-state", 0);
    if (vm.memory.fd < 0 || vm.state_fd < 0 || getrandom(vm.key, sizeof vm.key, 0) != sizeof vm.key) {
        return fail(error, "NO_SPACE", "guest memory: %s", strerror(errno));
    }
    return choose_accel(error);
}

void vm_event(const char *name, struct json data) {
    struct json value;
    uint64_t actual, size = (uint64_t)vm.memory_mib << 20;
    if (strcmp(name, "BALLOON_CHANGE") == 0 && json_member(data, "actual", &value) && json_u64(value, &actual)) {
        vm.inflated_bytes = actual < size ? size - actual : 0;
    } else if (strcmp(name, "RESUME") == 0) {
        vm.running = true;
    } else {
        flatten_event(&vm, name, data);
        full_disk_event(name, data);
    }
}

static void qmp_ready(void *context, short events) {
    (void)events;
    if (!qmp_read_events(&vm.qmp)) {
        watch_remove(*(struct watch **)context);
    }
}

static void log_ready(void *context, short events) {
    (void)context;
    qemu_log_drain(&vm);
    if (events & (POLLHUP | POLLERR)) {
        watch_remove(*(struct watch **)context);
    }
}

/* 0, or the exit status. */
static int start(const struct config *config, struct error *error) {
    static struct watch *qmp_watch, *log_watch;
    if (!forward_listen(config->forwards, config->forward_count, error) || !network_open(config, error) ||
        (config->control && !control_listen(config->control, error)) ||
        (config->stats_file && !stats_open(config->stats_file, error)) ||
        !live_mounts_start(config->live_mounts, error) ||
        (config->scratch_disk && !scratch_disk_claim(config->scratch_disk, error))) {
        return EXIT_CONFIG;
    }
    bool resume = config->incoming_fork || config->incoming_bundle || config->incoming_template;
    if (!resume && !prepare_boot(error)) {
        return EXIT_CONFIG;
    }
    int status = resume ? incoming_begin(overlay_directory(config), error) : qemu_begin(error);
    if (status != 0) {
        return status;
    }
    qmp_watch = watch_add(vm.qmp_fd, POLLIN, qmp_ready, &qmp_watch);
    log_watch = watch_add(vm.log_fd, POLLIN, log_ready, &log_watch);
    if (!qmp_watch || !log_watch || !leash_start() || !console_start(vm.console_fd) || !forward_start(vm.link_fd, vm.key, resume) ||
        !network_start(vm.network_fd)) {
        fail(error, "NO_MEMORY", "out of memory");
        return EXIT_QEMU;
    }
    return 0;
}

static void end_if_refused(void) {
    if (vm.resuming && !resume_failed && resume_outcome(&resume_error) == RESUME_FAILED) {
        resume_failed = true;
        loop_stop(EXIT_INCOMING);
    }
}

static void before_wait(void) {
    forward_flush();
    control_sweep();
    end_if_refused();
}

static void tick(void) {
    balloon_tick();
    stats_update(&vm);
    flatten_tick(&vm);
    full_disk_tick(&vm);
    remap_tick(&vm);
    group_sweep();
}

static void signalled(int signal) {
    int status;
    if (signal == SIGIO) {
        lazy_broken();
    } else if (signal != SIGCHLD) {
        fatal_signal = signal;
        loop_stop(0);
    } else if (qemu_ended(&vm, &status)) {
        loop_stop(status);
    }
}

static void clean_up(const struct config *config) {
    bool spawned = vm.qemu != 0;
    qemu_kill(&vm);
    live_mounts_end();
    if (vm.log_fd > 0) {
        qemu_log_drain(&vm);
    }
    if (!spawned) {
        forward_finish();
    }
    console_finish();
    forward_remove_sockets();
    if (config->control) {
        unlink(config->control);
    }
    if (config->stats_file) {
        stats_remove(config->stats_file);
    }
    if (config->run_dir) {
        run_dir_remove(config->run_dir);
    }
}

int run(void) {
    static struct config config;
    static const struct loop_hooks hooks = {before_wait, tick, signalled, network_wait, network_ready};
    struct error error;
    vm.started_us = now_us();
    vm.config = &config;
    signals_open();
    if (!config_read(&config, getenv, &error) || !fault_choose(config.fault, &error) ||
        !resume_read(config.resume, &error) || (config.run_dir && !run_dir_check(config.run_dir, &error))) {
        report(&error);
        if (config.run_dir) {
            run_dir_remove(config.run_dir);
        }
        return EXIT_CONFIG;
    }
    trace_open(config.trace);
    int status = start(&config, &error);
    bool failed = status != 0;
    if (!failed) {
        status = loop_run(&hooks);
    }
    clean_up(&config);
    if (failed || resume_failed) {
        report(failed ? &error : &resume_error);
    }
    /* A signal that ended us is what our parent shall see; one that came during start-up is still pending. Who waits for
     * the bundle we ran from can have it. */
    signal(SIGIO, SIG_IGN);
    signals_restore();
    if (fatal_signal) {
        raise(fatal_signal);
    }
    return status;
}
