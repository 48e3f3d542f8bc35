#include "park.h"

#ifdef __x86_64__

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* Where no program and no library lies: what the kernel places itself would push these aside. */
    PARKED_ADDRESS = 0x100000,
};

const uint64_t parked_orders_address = PARKED_ADDRESS + offsetof(struct parking, orders);

static const uint64_t map_parking[] = {SYS_mmap, PARKED_ADDRESS, sizeof(struct parking), PROT_READ | PROT_EXEC,
                                       MAP_SHARED | MAP_FIXED_NOREPLACE, PARKED_FD};
static const uint64_t close_parking[] = {SYS_close, PARKED_FD, 0, 0, 0, 0};

struct parking *parking_make(int *fd) {
    *fd = memfd_create(PARKED_NAME, MFD_CLOEXEC);
    if (*fd < 0)
        return NULL;
    struct parking *parking = MAP_FAILED;
    if (ftruncate(*fd, sizeof *parking) == 0)
        parking = mmap(NULL, sizeof *parking, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (parking == MAP_FAILED) {
        close(*fd);
        *fd = -1;
        return NULL;
    }
    memcpy(parking->code, parked_stub, (size_t)(parked_stub_end - parked_stub));
    return parking;
}

void parking_free(struct parking *parking) {
    if (parking != NULL)
        munmap(parking, sizeof *parking);
}

bool park_prepare(const struct tracee *tracee) {
    return tracee_call(tracee, map_parking, PARKED_ADDRESS) && tracee_call(tracee, close_parking, 0);
}

bool park(const struct tracee *tracee) {
    struct user_regs_struct registers = tracee->start;
    registers.rip = PARKED_ADDRESS;
    registers.orig_rax = UINT64_MAX;
    return ptrace(PTRACE_SETREGS, tracee->pid, 0, &registers) == 0 && ptrace(PTRACE_DETACH, tracee->pid, 0, 0) == 0;
}

/* What /proc shows as the program's arguments can be changed only with these. */
bool park_is_possible(void) {
    unsigned size;
    return geteuid() == 0 && prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0;
}

#endif
