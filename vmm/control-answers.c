#include "control-answers.h"
#include "balloon.h"
#include "capture.h"
#include "config.h"
#include "console.h"
#include "fault.h"
#include "forward.h"
#include "full-disk.h"
#include "group.h"
#include "lazy.h"
#include "livemount.h"
#include "loop.h"
#include "network.h"
#include "stats.h"
#include "vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 4096u

static struct client *holder; /* on whose behalf the guest is paused */

void control_let_go(const struct client *client) {
    struct error ignored;
    if (holder == client) {
        holder = NULL;
        capture_release(&vm, &ignored);
    }
}

static void answer_error(struct client *client, const struct error *error) {
    char message[2 * sizeof error->message];
    json_escape(error->message, message, sizeof message);
    client->answer_length = (size_t)snprintf(client->answer, HEAD_BYTES, "{\"ok\":false,\"code\":\"%s\",\"message\":\"%s\"}\n",
                                             error->code, message);
}

static void answer_members(struct client *client, const char *members) {
    client->answer_length = (size_t)snprintf(client->answer, HEAD_BYTES, "{\"ok\":true%s%s}\n", *members ? "," : "", members);
}

static void answer_status(struct client *client) {
    static bool was_ready;
    char members[2048], reason[2 * sizeof vm.accel_reason], lazy[800];
    was_ready |= forward_ready();
    balloon_tick();
    stats_update(&vm);
    snprintf(members, sizeof members,
             "\"state\":\"%s\",\"linked\":%s,\"qemuPid\":%d,\"accel\":\"%s\",\"accelReason\":\"%s\",\"memoryMib\":%u,"
             "\"ceilingMib\":%u,\"limit\":\"%s\",\"uptimeMs\":%llu%s",
             vm.paused || full_disk_waits() ? "paused" : was_ready ? "running" : "booting", forward_linked() ? "true" : "false", (int)vm.qemu,
             vm.accel == ACCEL_KVM ? "kvm" : "tcg", json_escape(vm.accel_reason, reason, sizeof reason), vm.memory_mib,
             balloon_ceiling(), balloon_state(),
             (unsigned long long)(now_us() - vm.started_us) / 1000, lazy_members(lazy, sizeof lazy));
    answer_members(client, members);
}

static void answer_console(struct client *client) {
    char members[64];
    size_t length = console_length();
    char *grown = realloc(client->answer, HEAD_BYTES + length);
    if (!grown) {
        length = 0;
    } else {
        client->answer = grown;
    }
    snprintf(members, sizeof members, "\"length\":%zu", length);
    answer_members(client, members);
    client->answer_length += console_copy(client->answer + client->answer_length, length);
}

static void answer_captured(struct client *client, const struct captured *captured) {
    char members[HEAD_BYTES - 64];
    client->fd_count = captured_fds(captured, client->fds);
    answer_members(client, captured_json(captured, members, sizeof members));
    fault(CAPTURE_ANSWERING);
}

static void answer_base(struct client *client) {
    struct captured captured;
    struct error error;
    char members[HEAD_BYTES - 256], both[HEAD_BYTES - 64];
    if (!lazy_settle(&vm, &error) || !capture_base(&vm, &captured, &error)) {
        answer_error(client, &error);
        return;
    }
    client->fd_count = captured_fds(&captured, client->fds);
    snprintf(both, sizeof both, "\"template\":\"%s\",%s", captured.template, captured_json(&captured, members, sizeof members));
    answer_members(client, both);
}

/* The first of a group captures for all. */
static bool capture_for(const char *token, uint64_t count, enum copy_kind kind, struct captured *captured, struct error *error) {
    if (group_has(token)) {
        return group_take(token, kind, captured, error);
    }
    if (!capture(&vm, kind, false, captured, error)) {
        return false;
    }
    if (!group_keep(token, kind, (unsigned)count - 1, captured)) {
        captured_close(captured);
        return fail(error, "CAPTURE_BUSY", "too many groups are waiting for their captures");
    }
    return true;
}

/* `capture [hold]` and `capture [delta] [<token> <n>]`. */
static void answer_capture(struct client *client, char *words) {
    struct captured captured;
    struct error error;
    char *token = strtok(words, " ");
    bool hold = token && strcmp(token, "hold") == 0, delta = token && strcmp(token, "delta") == 0;
    enum copy_kind kind = delta ? COPY_DELTA : COPY_WHOLE;
    if (hold || delta) {
        token = strtok(NULL, " ");
    }
    const char *number = token ? strtok(NULL, " ") : NULL;
    uint64_t count = 1;
    bool ok;
    if (strtok(NULL, " ") || (hold && token) ||
        (token && (!is_token(token, strlen(token)) || !number || !parse_number(number, 1, MAX_GROUP, &count)))) {
        ok = fail(&error, "BAD_REQUEST", "capture [hold], or capture [delta] [<token> <n>]");
    } else if (token) {
        ok = capture_for(token, count, kind, &captured, &error);
    } else {
        ok = capture(&vm, kind, hold, &captured, &error);
    }
    if (!ok) {
        answer_error(client, &error);
        return;
    }
    holder = hold ? client : holder;
    answer_captured(client, &captured);
}

static void answer_release(struct client *client) {
    struct error error;
    if (!holder) {
        fail(&error, "NOT_HELD", "no capture holds this machine");
    } else if (capture_release(&vm, &error)) {
        holder = NULL;
        answer_members(client, "");
        return;
    }
    answer_error(client, &error);
}

static void answer_forward(struct client *client, char *words) {
    struct error error;
    char members[HEAD_BYTES - 64];
    if (network_request(words, members, sizeof members, &error)) {
        answer_members(client, members);
    } else {
        answer_error(client, &error);
    }
}

bool control_is_capture(const char *request) {
    return strncmp(request, "capture", 7) == 0 && (request[7] == '\n' || request[7] == ' ' || request[7] == '\0');
}

/* Who asks to be told when the machine is up; and captures, for live mounts to come to rest. What is refused anyway
 * need not wait. */
bool control_must_wait(const char *request) {
    if (strncmp(request, "up\n", 3) == 0) {
        return !forward_ready();
    }
    if (!control_is_capture(request) || vm.paused || !forward_ready()) {
        return false;
    }
    live_mounts_pause();
    enum live_rest rest = live_mounts_rest();
    if (rest == LIVE_AT_REST) {
        fault(MOUNTS_RESTING);
    }
    return rest == LIVE_COMING_TO_REST;
}

bool control_answer(struct client *client, char *request) {
    struct error error;
    client->answer = malloc(HEAD_BYTES);
    client->answer_sent = 0;
    if (!client->answer) {
        return false;
    }
    if (strcmp(request, "status") == 0) {
        answer_status(client);
    } else if (strcmp(request, "up") == 0) {
        answer_members(client, "");
    } else if (strcmp(request, "console") == 0) {
        answer_console(client);
    } else if (strcmp(request, "base") == 0) {
        answer_base(client);
    } else if (control_is_capture(request) && live_mounts_rest() == LIVE_RESTLESS) {
        fail(&error, "LIVE_MOUNT_BUSY", "the guest did not let go of a live mount within 10 s");
        answer_error(client, &error);
    } else if (control_is_capture(request)) {
        answer_capture(client, request + 7);
    } else if (strncmp(request, "forward ", 8) == 0) {
        answer_forward(client, request + 8);
    } else if (strcmp(request, "release") == 0) {
        answer_release(client);
    } else if (strcmp(request, "quit") == 0) {
        answer_members(client, "");
        loop_stop(0);
    } else {
        fail(&error, "BAD_REQUEST", "unknown request");
        answer_error(client, &error);
    }
    return true;
}
