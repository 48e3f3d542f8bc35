#include "fault.h"
#include "livemount.h"
#include "vm.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *const names[FAULT_STEPS] = {
    [MOUNTS_STARTED] = "mounts_started", [MOUNTS_PAUSING] = "mounts_pausing", [MOUNTS_RESTING] = "mounts_resting",
    [CAPTURE_PREPARED] = "capture_prepared", [CAPTURE_STOPPED] = "capture_stopped", [CAPTURE_SAVED] = "capture_saved",
    [CAPTURE_FROZEN] = "capture_frozen", [CAPTURE_COPIED] = "capture_copied", [CAPTURE_CONTINUED] = "capture_continued",
    [CAPTURE_ANSWERING] = "capture_answering", [SAVE_CAPTURED] = "save_captured", [SAVE_MEMORY] = "save_memory",
    [SAVE_FILES] = "save_files", [RESUME_BASE] = "resume_base", [RESUME_SPAWNED] = "resume_spawned",
    [RESUME_GREETED] = "resume_greeted", [RESUME_CAPTURED] = "resume_captured", [RESUME_INJECTED] = "resume_injected",
    [RESUME_ATTACHED] = "resume_attached", [RESUME_LOADED] = "resume_loaded", [RESUME_LINKED] = "resume_linked",
    [RESUME_MAPPED] = "resume_mapped", [RESUME_TOLD] = "resume_told", [SETTLE_STOPPED] = "settle_stopped",
    [SETTLE_COPIED] = "settle_copied", [SETTLE_MAPPED] = "settle_mapped"};

static enum fault_step chosen = FAULT_STEPS;
static enum { SELF, QEMU, MOUNT } victim;

bool fault_choose(const char *step, struct error *error) {
    if (!step) {
        return true;
    }
    victim = strncmp(step, "qemu:", 5) == 0 ? QEMU : strncmp(step, "mount:", 6) == 0 ? MOUNT : SELF;
    step += victim == SELF ? 0 : strcspn(step, ":") + 1;
    for (enum fault_step i = 0; i < FAULT_STEPS; i++) {
        if (strcmp(names[i], step) == 0) {
            chosen = i;
            return true;
        }
    }
    return fail(error, "CONFIG_INVALID", "MACHINEN_FAULT: there is no step '%.40s'", step);
}

void fault(enum fault_step step) {
    if (step == chosen) {
        pid_t pid = victim == SELF ? getpid() : victim == QEMU ? vm.qemu : live_mounts_first();
        if (pid > 0) {
            kill(pid, SIGKILL);
        }
    }
}
