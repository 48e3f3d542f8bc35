#include "run.h"
#include "bundle.h"
#include "console.h"
#include "control.h"
#include "files.h"
#include "forward.h"
#include "loop.h"
#include "probe.h"
#include "qemu.h"
#include "request.h"
#include "run-dir.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_CONFIG = 2, EXIT_QEMU = 3, EXIT_INCOMING = 4 };
#define LOAD_TIMEOUT_US 60000000ull

struct vm vm = {.kernel_fd = -1, .initrd_fd = -1, .state_fd = -1, .incoming_fd = -1, .memory = {.fd = -1}};
static int fatal_signal;

static const char *overlay_directory(const struct config *config) {
    const char *temporary = getenv("TMPDIR");
    return config->run_dir ? config->run_dir : temporary && *temporary ? temporary : "/tmp";
}

/* Under KVM the guest can be only as fast as asked for: an explicit `kvm` that cannot work is an error. */
static bool choose_accel(struct error *error) {
    const struct config *config = vm.config;
    vm.accel = ACCEL_TCG;
    if (config->accel == ACCEL_TCG) {
        snprintf(vm.accel_reason, sizeof vm.accel_reason, "MACHINEN_ACCEL says so");
    } else if (probe_kvm(vm.accel_reason, sizeof vm.accel_reason)) {
        vm.accel = ACCEL_KVM;
    } else if (config->accel == ACCEL_KVM) {
        return fail(error, "ACCEL_UNUSABLE", "MACHINEN_ACCEL=kvm: %s", vm.accel_reason);
    }
    if (vm.accel == ACCEL_TCG) {
        vm.tsc_khz = config->tsc_khz ? config->tsc_khz : probe_tsc_khz();
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

static bool prepare_boot(struct error *error) {
    const struct config *config = vm.config;
    vm.memory_mib = config->memory_mib;
    vm.cpus = config->cpus;
    if (!open_boot_file("MACHINEN_KERNEL", config->kernel, &vm.kernel_fd, error) ||
        (config->initrd && !open_boot_file("MACHINEN_INITRD", config->initrd, &vm.initrd_fd, error))) {
        return false;
    }
    if (config->rootdisk) {
        vm.disk_count = 1;
        if (!disk_open(&vm.disks[0], config->rootdisk, config->rootdisk_size, overlay_directory(config), error)) {
            return false;
        }
    }
    vm.memory = (struct memory){memfd_new("machinen-ram", (uint64_t)vm.memory_mib << 20), true, (uint64_t)vm.memory_mib << 20};
    vm.state_fd = memfd_new("machinen-state", 0);
    if (vm.memory.fd < 0 || vm.state_fd < 0 || getrandom(vm.key, sizeof vm.key, 0) != sizeof vm.key) {
        return fail(error, "NO_SPACE", "guest memory: %s", strerror(errno));
    }
    return choose_accel(error);
}

/* Takes over what was captured. */
static bool adopt(struct captured *from, struct error *error) {
    vm.resuming = true;
    vm.memory_mib = from->memory_mib;
    vm.cpus = from->cpus;
    vm.accel = strcmp(from->accel, "kvm") == 0 ? ACCEL_KVM : ACCEL_TCG;
    snprintf(vm.accel_reason, sizeof vm.accel_reason, "as the machine it was made from");
    memcpy(vm.key, from->key, sizeof vm.key);
    if (vm.accel == ACCEL_KVM && !probe_kvm(vm.accel_reason, sizeof vm.accel_reason)) {
        return fail(error, "ACCEL_UNUSABLE", "the machine ran under KVM: %s", vm.accel_reason);
    }
    vm.memory = (struct memory){from->memory_fd, false, (uint64_t)from->memory_mib << 20};
    from->memory_fd = -1;
    vm.incoming_fd = from->state_fd;
    from->state_fd = -1;
    vm.state_fd = memfd_new("machinen-state", 0);
    if (vm.state_fd < 0) {
        return fail(error, "NO_SPACE", "device state: %s", strerror(errno));
    }
    for (; vm.disk_count < from->disk_count; vm.disk_count++) {
        unsigned index = (unsigned)vm.disk_count;
        if (!disk_resume(&vm.disks[index], index, &from->disks[index], overlay_directory(vm.config), error)) {
            return false;
        }
    }
    return true;
}

static bool prepare_resume(struct error *error) {
    const struct config *config = vm.config;
    struct captured captured;
    int connection = -1;
    bool ok = config->incoming_fork ? request_capture(config->incoming_fork, false, &connection, &captured, error)
                                    : bundle_read(config->incoming_bundle, &captured, error);
    close_fd(&connection);
    if (ok) {
        ok = adopt(&captured, error);
        captured_close(&captured);
    }
    return ok;
}

static void on_qmp_event(const char *name, struct json data) {
    struct json value;
    uint64_t actual, size = (uint64_t)vm.memory_mib << 20;
    if (strcmp(name, "BALLOON_CHANGE") == 0 && json_member(data, "actual", &value) && json_u64(value, &actual)) {
        vm.inflated_bytes = actual < size ? size - actual : 0;
    }
}

static bool load_state(struct error *error) {
    uint64_t deadline = now_us() + LOAD_TIMEOUT_US;
    char status[32] = "";
    struct json result, value;
    /* QEMU inherits the descriptor's position, too. */
    lseek(vm.incoming_fd, 0, SEEK_SET);
    if (!qmp_command(&vm.qmp, -1, NULL, error,
                     "{\"execute\":\"migrate-incoming\",\"arguments\":{\"uri\":\"fd:%d\"}}\n", vm.incoming_fd)) {
        return false;
    }
    while (strcmp(status, "completed") != 0) {
        if (!qmp_command(&vm.qmp, -1, &result, error, "{\"execute\":\"query-migrate\"}\n")) {
            return false;
        }
        if (json_member(result, "status", &value)) {
            json_string(value, status, sizeof status);
        }
        if (strcmp(status, "failed") == 0 || now_us() > deadline) {
            return fail(error, "STATE_INVALID", "QEMU could not load the device state");
        }
        usleep(500);
    }
    return qmp_command(&vm.qmp, -1, NULL, error, "{\"execute\":\"cont\"}\n");
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
    if (!forward_listen(config->forwards, config->forward_count, error) ||
        (config->control && !control_listen(config->control, error)) ||
        (config->stats_file && !stats_open(config->stats_file, error))) {
        return EXIT_CONFIG;
    }
    bool resume = config->incoming_fork || config->incoming_bundle;
    if (!(resume ? prepare_resume(error) : prepare_boot(error))) {
        return resume ? EXIT_INCOMING : EXIT_CONFIG;
    }
    if (!qemu_spawn(&vm, error)) {
        return EXIT_QEMU;
    }
    if (!qmp_open(&vm.qmp, vm.qmp_fd, on_qmp_event, error)) {
        return EXIT_QEMU;
    }
    if (resume && !load_state(error)) {
        return EXIT_INCOMING;
    }
    qmp_watch = watch_add(vm.qmp_fd, POLLIN, qmp_ready, &qmp_watch);
    log_watch = watch_add(vm.log_fd, POLLIN, log_ready, &log_watch);
    if (!qmp_watch || !log_watch || !console_start(vm.console_fd) || !forward_start(vm.link_fd, vm.key)) {
        fail(error, "NO_MEMORY", "out of memory");
        return EXIT_QEMU;
    }
    return 0;
}

static void before_wait(void) {
    forward_flush();
    control_sweep();
}

static void tick(void) {
    stats_update(&vm);
}

static void signalled(int signal) {
    int status;
    if (signal != SIGCHLD) {
        fatal_signal = signal;
        loop_stop(0);
    } else if (qemu_ended(&vm, &status)) {
        loop_stop(status);
    }
}

static void clean_up(const struct config *config) {
    bool spawned = vm.qemu != 0;
    qemu_kill(&vm);
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
    static const struct loop_hooks hooks = {before_wait, tick, signalled};
    struct error error;
    vm.started_us = now_us();
    vm.config = &config;
    signals_open();
    if (!config_read(&config, getenv, &error) || (config.run_dir && !run_dir_check(config.run_dir, &error))) {
        report(&error);
        if (config.run_dir) {
            run_dir_remove(config.run_dir);
        }
        return EXIT_CONFIG;
    }
    int status = start(&config, &error);
    bool failed = status != 0;
    if (!failed) {
        status = loop_run(&hooks);
    }
    clean_up(&config);
    if (failed) {
        report(&error);
    }
    /* A signal that ended us is what our parent shall see; one that came during start-up is still pending. */
    signals_restore();
    if (fatal_signal) {
        raise(fatal_signal);
    }
    return status;
}
