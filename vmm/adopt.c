#include "adopt.h"
#include "files.h"
#include "probe.h"
#include "scratch-disk.h"
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool adopt_shape(const struct captured *from, struct error *error) {
    const struct config *config = vm.config;
    vm.resuming = true;
    vm.memory_mib = from->memory_mib;
    vm.cpus = from->cpus;
    vm.tsc_khz = from->tsc_khz;
    snprintf(vm.processor, sizeof vm.processor, "%s", from->processor);
    snprintf(vm.saved_by, sizeof vm.saved_by, "%s", from->qemu);
    /* A machine without a network does not come by one in a copy, unless that is asked for; a template is nobody yet. */
    vm.network_off = config->network_off || (!config->network_on && !from->network && !config->incoming_template);
    if (vm.network_off && config->ports) {
        return fail(error, "NETWORK_OFF", "MACHINEN_FORWARD: the network is off, as in the machine this one is made from");
    }
    vm.accel = strcmp(from->accel, "kvm") == 0 ? ACCEL_KVM : ACCEL_TCG;
    snprintf(vm.accel_reason, sizeof vm.accel_reason, "as the machine it was made from");
    if (vm.accel == ACCEL_KVM && !probe_kvm(vm.accel_reason, sizeof vm.accel_reason)) {
        return fail(error, "ACCEL_UNUSABLE", "the machine ran under KVM: %s", vm.accel_reason);
    }
    vm.state_fd = memfd_new("machinen-state", 0);
    return vm.state_fd >= 0 || fail(error, "NO_SPACE", "device state: %s", strerror(errno));
}

void adopt_memory(struct captured *from) {
    vm.memory = (struct memory){.fd = from->memory_fd, .size = (uint64_t)from->memory_mib << 20};
    snprintf(vm.template, sizeof vm.template, "%s", from->template);
    from->memory_fd = -1;
}

/* Nothing is on a template's scratch disk: it gives way to the file of the machine that the template becomes. */
static bool adopt_disk(struct captured_disk *from, bool complete, const char *directory, struct error *error) {
    unsigned index = (unsigned)vm.disk_count;
    struct disk *disk = &vm.disks[index];
    return from->use == DISK_SCRATCH && vm.config->scratch_disk
               ? scratch_disk_open(disk, index, from->size, directory, error)
               : (complete ? disk_resume : disk_expect)(disk, index, from, directory, error);
}

/* `complete` false: more layers will come. */
bool adopt_disks(struct captured *from, bool complete, const char *directory, struct error *error) {
    for (; vm.disk_count < from->disk_count; vm.disk_count++) {
        if (!adopt_disk(&from->disks[vm.disk_count], complete, directory, error)) {
            return false;
        }
    }
    return scratch_disk_is_placed(error);
}

/* Others may resume from the same state at this moment: each needs a read position of its own. */
bool adopt_state(struct captured *from, struct error *error) {
    memcpy(vm.key, from->key, sizeof vm.key);
    vm.connections = from->connections;
    vm.inflated_bytes = (uint64_t)(from->memory_mib - from->ceiling_mib) << 20;
    vm.incoming_fd = reopen_read_only(from->state_fd);
    return vm.incoming_fd >= 0 || fail(error, "STATE_INVALID", "the device state: %s", strerror(errno));
}
