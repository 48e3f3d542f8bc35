#include "ports.h"
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0a

bool port_parse(const char *address, const char *host_port, const char *guest_port, struct port_forward *forward,
                struct error *error) {
    struct in_addr at;
    uint64_t from, to;
    if (inet_pton(AF_INET, address, &at) != 1) {
        return fail(error, "BAD_FORWARD", "'%.60s' is no IPv4 address", address);
    }
    if (!parse_number(host_port, 1, 65535, &from) || !parse_number(guest_port, 1, 65535, &to)) {
        return fail(error, "BAD_FORWARD", "ports are numbers from 1 to 65535, not '%.20s' and '%.20s'", host_port, guest_port);
    }
    *forward = (struct port_forward){ntohl(at.s_addr), (uint16_t)from, (uint16_t)to};
    return true;
}

bool ports_parse(const char *list, struct port_forward forwards[MAX_PORTS], size_t *count, struct error *error) {
    for (*count = 0; list && *list; (*count)++) {
        char entry[64], *rest = entry;
        size_t length = strcspn(list, ",");
        if (*count == MAX_PORTS) {
            return fail(error, "BAD_FORWARD", "more than %d forwards", MAX_PORTS);
        }
        snprintf(entry, sizeof entry, "%.*s", length < sizeof entry ? (int)length : 0, list);
        const char *address = strsep(&rest, ":"), *host = strsep(&rest, ":"), *guest = rest;
        if (!host || !guest) {
            return fail(error, "BAD_FORWARD", "each entry must be <host addr>:<host port>:<guest port>");
        }
        if (!port_parse(address, host, guest, &forwards[*count], error)) {
            return false;
        }
        list += length + (list[length] == ',');
    }
    return true;
}

char *port_text(const struct port_forward *forward, char *out, size_t room) {
    char address[INET_ADDRSTRLEN];
    struct in_addr at = {htonl(forward->address)};
    snprintf(out, room, "%s:%u", inet_ntop(AF_INET, &at, address, sizeof address), forward->host_port);
    return out;
}

/* The inode of a listening socket that is in the way; 0 when there is none. */
static unsigned long listener_inode(const char *table, const struct port_forward *forward) {
    char line[512], address[40];
    unsigned port, state;
    unsigned long inode, found = 0;
    FILE *file = fopen(table, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        if (sscanf(line, " %*d: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu", address, &port, &state, &inode) != 4 ||
            state != STATE_LISTEN || port != forward->host_port) {
            continue;
        }
        /* IPv6 sockets are in the way when they listen everywhere, or at the mapped address: the last word is it. */
        size_t length = strlen(address);
        uint32_t at = length >= 8 ? ntohl((uint32_t)strtoul(address + length - 8, NULL, 16)) : 0;
        if (at == 0 || forward->address == 0 || at == forward->address) {
            found = inode;
        }
    }
    if (file) {
        fclose(file);
    }
    return found;
}

static bool has_socket(const char *pid, unsigned long inode) {
    char path[64], wanted[40];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        char target[64];
        ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}

static void process_name(const char *pid, char *name, size_t room) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(name, (int)room, file)) {
        snprintf(name, room, "?");
    }
    if (file) {
        fclose(file);
    }
    name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c; c++) {
        *c = isprint((unsigned char)*c) ? *c : '?';
    }
}

char *port_holder(const struct port_forward *forward, char *out, size_t room) {
    unsigned long inode = listener_inode("/proc/net/tcp", forward);
    inode = inode ? inode : listener_inode("/proc/net/tcp6", forward);
    DIR *processes = inode ? opendir("/proc") : NULL;
    *out = '\0';
    for (struct dirent *entry; processes && !*out && (entry = readdir(processes));) {
        char name[32];
        if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, inode)) {
            process_name(entry->d_name, name, sizeof name);
            snprintf(out, room, " by %s (pid %.20s)", name, entry->d_name);
        }
    }
    if (processes) {
        closedir(processes);
    }
    return out;
}
