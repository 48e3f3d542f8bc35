#include "network.h"

#include "connections.h"
#include "console.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char card[] = "eth0", resolver_file[] = "/etc/resolv.conf";
static const char address[] = "10.0.2.15", mask[] = "255.255.255.0", gateway[] = "10.0.2.2";
static const char resolver[] = "nameserver 10.0.2.3\n";
static bool is_on;

static struct sockaddr ipv4(const char *text) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct sockaddr result;
    inet_pton(AF_INET, text, &at.sin_addr);
    memcpy(&result, &at, sizeof result);
    return result;
}

static bool set_flags(int fd, const char *name, short set, short clear) {
    struct ifreq request = {0};
    strcpy(request.ifr_name, name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        return false;
    request.ifr_flags = (short)((request.ifr_flags | set) & ~clear);
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

static bool set_address(int fd, unsigned long what, const char *value) {
    struct ifreq request = {.ifr_addr = ipv4(value)};
    strcpy(request.ifr_name, card);
    return ioctl(fd, what, &request) == 0;
}

static bool add_default_route(int fd) {
    struct rtentry route = {.rt_dst = ipv4("0.0.0.0"), .rt_genmask = ipv4("0.0.0.0"), .rt_gateway = ipv4(gateway),
                            .rt_flags = RTF_UP | RTF_GATEWAY};
    return ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST;
}

/* Nobody answers IPv6 on this network: without it programs do not wait for an answer. */
static void ipv6_off(void) {
    int fd = open("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "1", 1) != 1)
        console_say("IPv6 of %s: %s", card, strerror(errno));
    close(fd);
}

/* An image that says where to ask is believed; a link into a directory nobody fills says nothing. */
static void name_resolver(void) {
    struct stat info;
    if (stat(resolver_file, &info) == 0 && info.st_size > 0)
        return;
    unlink(resolver_file);
    int fd = open(resolver_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    if (write(fd, resolver, sizeof resolver - 1) != (ssize_t)sizeof resolver - 1)
        console_say("%s: %s", resolver_file, strerror(errno));
    close(fd);
}

static void turn_on(int fd) {
    ipv6_off();
    if (!set_address(fd, SIOCSIFADDR, address) || !set_address(fd, SIOCSIFNETMASK, mask) ||
        !set_flags(fd, card, IFF_UP | IFF_RUNNING, 0) || !add_default_route(fd)) {
        console_say("no network: %s", strerror(errno));
        return;
    }
    name_resolver();
    is_on = true;
}

static void turn_off(int fd) {
    set_flags(fd, card, 0, IFF_UP);
    is_on = false;
}

static void turn(bool on) {
    int fd = on == is_on ? -1 : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (on)
        turn_on(fd);
    else
        turn_off(fd);
    close(fd);
}

void loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    set_flags(fd, "lo", IFF_UP | IFF_RUNNING, 0);
    close(fd);
}

static bool is_wanted(void) {
    char line[4096] = "";
    FILE *file = fopen("/proc/cmdline", "re");
    bool off = file != NULL && fgets(line, sizeof line, file) != NULL && strstr(line, "machinen.network=off") != NULL;
    if (file != NULL)
        fclose(file);
    return !off;
}

void network_begin(void) {
    turn(is_wanted());
}

void network_resume(bool on, bool connections) {
    if (connections)
        connections_end();
    turn(on);
}
