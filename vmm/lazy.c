#include "lazy.h"
#include "console.h"
#include "copy.h"
#include "fault.h"
#include "files.h"
#include "incoming.h"
#include "lease.h"
#include "loop.h"
#include "remap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t mapped_pages;
static char refusal[320];

/* Of the bytes from `at` to `end`, those that are no hole. */
static uint64_t data_bytes(int file, uint64_t at, uint64_t end) {
    uint64_t bytes = 0;
    while (at < end) {
        off_t data = lseek(file, (off_t)at, SEEK_DATA);
        off_t hole = data < 0 || (uint64_t)data >= end ? -1 : lseek(file, data, SEEK_HOLE);
        if (hole < 0) {
            break;
        }
        at = (uint64_t)hole < end ? (uint64_t)hole : end;
        bytes += at - (uint64_t)data;
    }
    return bytes;
}

/* What the guest has not come to yet. */
static uint64_t pending_pages(void) {
    struct runs runs = {0};
    uint64_t met = 0;
    if (!vm.memory.leased || !pages_scan(&vm.memory, vm.qemu, PAGES_MAPPED, &runs)) {
        return 0;
    }
    for (size_t i = 0; i < runs.count; i++) {
        met += data_bytes(vm.memory.fd, runs.list[i].offset, runs.list[i].offset + runs.list[i].length);
    }
    runs_free(&runs);
    return met / PAGE < mapped_pages ? mapped_pages - met / PAGE : 0;
}

/* Where QEMU cannot be made to map it, it is copied to where QEMU looks. */
static bool fill_in(struct vm *vm, int file, struct error *error) {
    return host_has(data_bytes(file, 0, vm->memory.size), error) && copy_data(file, vm->memory.fd, vm->memory.size, error) &&
           (lease_kept(file) || fail(error, "COPY_FAILED", "the bundle's memory.img has been changed")) &&
           (seal(vm->memory.fd) || fail(error, "COPY_FAILED", "guest memory: %s", strerror(errno)));
}

bool lazy_map(struct vm *vm, int file, struct error *error) {
    struct error why;
    int empty = vm->memory.fd;
    /* Also the empty one: QEMU would take memory that is given back out of it, and not refuse it as it does when sealed. */
    if (remap_memory(vm, file, &why)) {
        vm->memory.leased = true;
        fault(RESUME_MAPPED);
        mapped_pages = data_bytes(file, 0, vm->memory.size) / PAGE;
        bool ok = seal(empty) || fail(error, "MAP_FAILED", "guest memory: %s", strerror(errno));
        close_fd(&empty);
        return ok;
    }
    lazy_refused(why.message);
    bool ok = fill_in(vm, file, error);
    lease_drop(file);
    close_fd(&file);
    return ok;
}

void lazy_refused(const char *reason) {
    snprintf(refusal, sizeof refusal, "%s", reason);
}

/* The guest is stopped from the moment its own pages are copied until they lie in the new place. */
static bool move_to_copy(struct vm *vm, struct copy *copy, struct error *error) {
    int file = vm->memory.fd, sealed;
    fault(SETTLE_STOPPED);
    bool ok = copy_take(copy, error);
    sealed = copy_end(copy, ok, error);
    fault(SETTLE_COPIED);
    if (sealed < 0 || !remap_memory(vm, sealed, error)) {
        close_fd(&sealed);
        return false;
    }
    fault(SETTLE_MAPPED);
    vm->memory.leased = false;
    lease_drop(file);
    close_fd(&file);
    return true;
}

bool lazy_settle(struct vm *vm, struct error *error) {
    struct copy copy;
    struct error other;
    bool stopped = vm->paused;
    if (!vm->memory.leased) {
        return true;
    }
    if (!copy_begin(&copy, COPY_WHOLE, &vm->memory, vm->qemu, error)) {
        return false;
    }
    bool ok = stopped || qmp_command(&vm->qmp, -1, NULL, error, "{\"execute\":\"stop\"}\n");
    if (ok) {
        ok = move_to_copy(vm, &copy, error);
    } else {
        copy_end(&copy, false, error);
    }
    return (stopped || qmp_command(&vm->qmp, -1, NULL, ok ? error : &other, "{\"execute\":\"cont\"}\n")) && ok;
}

/* A guest whose memory changes under it must not go on. */
void lazy_broken(void) {
    struct error error;
    char line[sizeof error.message + 128];
    if (!vm.memory.leased || lease_holds(vm.memory.fd) || lazy_settle(&vm, &error)) {
        return;
    }
    int length = snprintf(line, sizeof line, "machinen: the bundle this machine runs from is about to be changed: %s\n", error.message);
    console_print(line, (size_t)length);
    loop_stop(EXIT_INCOMING);
}

const char *lazy_members(char *out, size_t room) {
    char reason[2 * sizeof refusal];
    *out = '\0';
    if (vm.config->lazy) {
        snprintf(out, room, ",\"lazyPages\":%llu,\"lazyPending\":%llu,\"lazyReason\":\"%s\"", (unsigned long long)mapped_pages,
                 (unsigned long long)pending_pages(), json_escape(refusal, reason, sizeof reason));
    }
    return out;
}
