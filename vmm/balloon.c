#include "balloon.h"
#include "forward.h"
#include "loop.h"
#include "vm.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Left free in the guest, so that its programs go on while the balloon grows. */
#define RESERVE_BYTES (16ull << 20)
/* A guest that does not move for so long will not; what it frees later is looked for from time to time. */
#define STILL_US 10000000ull
#define REST_US 5000000ull
/* Asked for by who waits for the limit, more often than is worth an answer. */
#define ASK_US 20000ull
/* Reading which pages of a private mapping are its own takes milliseconds. */
#define CHECK_US 10000000ull
/* The guest says what is in the balloon after it has filled it, batch by batch. */
#define CLAIM_SLACK_BYTES (8ull << 20)

static enum { WAITING, LOOKING, FILLING, RESTING, REACHED } phase;
static bool tried;      /* came to rest once */
static char device[96]; /* its place in QEMU's object tree */
static uint64_t target, last_actual, moved_at, asked_at, rest_at, look_second;

static uint64_t ram_bytes(void) {
    return (uint64_t)vm.memory_mib << 20;
}

static uint64_t wanted_bytes(void) {
    uint64_t wanted = (uint64_t)vm.config->memory_limit << 20;
    return wanted < ram_bytes() ? wanted : ram_bytes();
}

static bool find_device(void) {
    struct json list, object, value;
    struct error ignored;
    char name[32], type[48];
    if (*device || !qmp_command(&vm.qmp, -1, &list, &ignored,
                                "{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/machine/peripheral-anon\"}}\n")) {
        return *device;
    }
    for (size_t i = 0; json_element(list, i, &object); i++) {
        if (json_member(object, "type", &value) && json_string(value, type, sizeof type) &&
            strcmp(type, "child<virtio-balloon-device>") == 0 && json_member(object, "name", &value) &&
            json_string(value, name, sizeof name)) {
            snprintf(device, sizeof device, "/machine/peripheral-anon/%s", name);
        }
    }
    return *device;
}

/* The guest is asked for its figures once a second, or no more (0). */
static bool poll_guest(int seconds) {
    struct error ignored;
    return qmp_command(&vm.qmp, -1, NULL, &ignored,
                       "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"%s\",\"property\":\"guest-stats-polling-interval\","
                       "\"value\":%d}}\n", device, seconds);
}

/* What the guest could give without missing it, as it says since `look_second`. */
static bool guest_available(uint64_t *bytes) {
    struct json answer, stats, value;
    struct error ignored;
    uint64_t at;
    return qmp_command(&vm.qmp, -1, &answer, &ignored,
                       "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"%s\",\"property\":\"guest-stats\"}}\n", device) &&
           json_member(answer, "last-update", &value) && json_u64(value, &at) && at >= look_second &&
           json_member(answer, "stats", &stats) && json_member(stats, "stat-available-memory", &value) &&
           json_u64(value, bytes) && *bytes <= ram_bytes();
}

/* Takes note of how much is not in the balloon. */
static bool query(uint64_t *actual) {
    struct json answer, value;
    struct error ignored;
    if (!qmp_command(&vm.qmp, -1, &answer, &ignored, "{\"execute\":\"query-balloon\"}\n") ||
        !json_member(answer, "actual", &value) || !json_u64(value, actual) || *actual > ram_bytes()) {
        return false;
    }
    moved_at = *actual == last_actual ? moved_at : now_us();
    last_actual = *actual;
    vm.inflated_bytes = ram_bytes() - *actual;
    return true;
}

static bool set_target(uint64_t bytes) {
    struct error ignored;
    target = bytes;
    return qmp_command(&vm.qmp, -1, NULL, &ignored, "{\"execute\":\"balloon\",\"arguments\":{\"value\":%llu}}\n",
                       (unsigned long long)bytes);
}

static void come_to_rest(bool reached) {
    poll_guest(0);
    phase = reached ? REACHED : RESTING;
    tried = true;
    rest_at = now_us();
}

static void begin(uint64_t actual) {
    moved_at = now_us();
    look_second = (uint64_t)time(NULL);
    if (actual <= wanted_bytes() ? set_target(wanted_bytes()) : poll_guest(1)) {
        phase = actual <= wanted_bytes() ? FILLING : LOOKING;
    }
}

/* Only what the guest can spare: it would rather end programs than leave the balloon wanting. */
static void look(uint64_t actual) {
    uint64_t available;
    if (guest_available(&available)) {
        uint64_t spare = available > RESERVE_BYTES ? available - RESERVE_BYTES : 0;
        uint64_t lowest = actual > spare ? actual - spare : 0;
        moved_at = now_us();
        phase = set_target(lowest > wanted_bytes() ? lowest : wanted_bytes()) ? FILLING : LOOKING;
    } else if (now_us() - moved_at > STILL_US) {
        come_to_rest(false);
    }
}

static void fill(uint64_t actual) {
    if (actual == target) {
        come_to_rest(target == wanted_bytes());
    } else if (now_us() - moved_at > STILL_US) {
        set_target(actual);
        come_to_rest(false);
    }
}

void balloon_tick(void) {
    uint64_t actual;
    bool rests = phase == RESTING && now_us() - rest_at < REST_US;
    if (vm.config->memory_limit == 0 || phase == REACHED || rests || vm.paused || !forward_ready() ||
        now_us() - asked_at < ASK_US) {
        return;
    }
    asked_at = now_us();
    if (!find_device() || !query(&actual)) {
        return;
    }
    if (phase == LOOKING) {
        look(actual);
    } else if (phase == FILLING) {
        fill(actual);
    } else {
        begin(actual);
    }
}

void balloon_hold(void) {
    uint64_t actual;
    if (phase == FILLING && query(&actual) && set_target(actual)) {
        phase = WAITING;
    }
}

const char *balloon_state(void) {
    return vm.config->memory_limit == 0 ? "none" : phase == REACHED ? "reached" : tried ? "short" : "busy";
}

/* A guest may say what it likes of its balloon; how much it has touched it cannot hide. */
static bool keeps_to(uint64_t claimed) {
    static uint64_t checked_at, own;
    struct stat info;
    if (vm.memory.shared) {
        own = fstat(vm.memory.fd, &info) == 0 ? (uint64_t)info.st_blocks * 512 : ram_bytes();
    } else if (checked_at == 0 || now_us() - checked_at > CHECK_US) {
        checked_at = now_us();
        own = memory_private(&vm.memory, vm.qemu);
    }
    return own <= claimed + CLAIM_SLACK_BYTES;
}

uint32_t balloon_ceiling(void) {
    uint64_t claimed = ram_bytes() - vm.inflated_bytes;
    if (vm.inflated_bytes == 0 || !keeps_to(claimed)) {
        return vm.memory_mib;
    }
    return (uint32_t)((claimed + (1 << 20) - 1) >> 20);
}
