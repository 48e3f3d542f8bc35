#include "full-disk.h"
#include "console.h"
#include "loop.h"

#include <string.h>

/* A write that fails again does so at once. */
#define SUCCESS_US 3000000ull

/* `stopped` by QEMU and not let go on yet; `waits` until a try has succeeded. */
static bool stopped, waits;
static uint64_t let_go_at;

static void say(const char *text) {
    console_print(text, strlen(text));
}

void full_disk_event(const char *name, struct json data) {
    struct json value;
    char action[16];
    if (strcmp(name, "BLOCK_IO_ERROR") != 0 || !json_member(data, "action", &value) ||
        !json_string(value, action, sizeof action) || strcmp(action, "stop") != 0) {
        return;
    }
    if (!waits) {
        say("machinen: the host's disk is full: the machine waits until there is room\n");
    }
    stopped = waits = true;
}

bool full_disk_waits(void) {
    return waits;
}

void full_disk_tick(struct vm *vm) {
    struct error ignored;
    if (waits && !stopped && now_us() - let_go_at > SUCCESS_US) {
        waits = false;
        say("machinen: there is room again: the machine goes on\n");
    }
    if (stopped && !vm->paused) {
        stopped = false;
        let_go_at = now_us();
        qmp_command(&vm->qmp, -1, NULL, &ignored, "{\"execute\":\"cont\"}\n");
    }
}
