#include "connections.h"

#include "console.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As the kernel numbers them (include/net/tcp_states.h); libc's <netinet/tcp.h> has only some. */
enum { ESTABLISHED = 1, FIN_WAIT1 = 4, FIN_WAIT2 = 5, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };
/* One that is still being made goes on from here; a listener has no other end. */
enum { CONNECTED = 1 << ESTABLISHED | 1 << FIN_WAIT1 | 1 << FIN_WAIT2 | 1 << CLOSE_WAIT | 1 << LAST_ACK | 1 << CLOSING };

struct request {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

static bool ask(int fd, uint16_t type, uint16_t flags, uint8_t family, const struct inet_diag_sockid *id) {
    struct request request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags},
        .body = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = CONNECTED}};
    if (id != NULL)
        request.body.id = *id;
    return send(fd, &request, sizeof request, 0) == (ssize_t)sizeof request;
}

/* The last four bytes of an IPv6 address that stands for an IPv4 one; NULL for others. */
static const uint8_t *mapped(const uint8_t *address) {
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, prefix, sizeof prefix) == 0 ? address + sizeof prefix : NULL;
}

/* Both ends of such a connection are in this machine, and both were copied. */
static bool is_inside(const struct inet_diag_msg *socket) {
    const uint8_t *to = (const uint8_t *)socket->id.idiag_dst;
    const uint8_t *v4 = socket->idiag_family == AF_INET ? to : mapped(to);
    size_t length = socket->idiag_family == AF_INET ? 4 : 16;
    return memcmp(to, socket->id.idiag_src, length) == 0 || (v4 != NULL && v4[0] == 127);
}

static void end_one(int fd, const struct inet_diag_msg *socket) {
    char answer[512];
    if (!is_inside(socket) && ask(fd, SOCK_DESTROY, NLM_F_ACK, socket->idiag_family, &socket->id))
        recv(fd, answer, sizeof answer, 0);
}

/* False with errno when the kernel cannot tell. */
static bool end_listed(int list, int ends) {
    /* Netlink wants its messages aligned. */
    static uint32_t answer[8192];
    for (;;) {
        ssize_t length = recv(list, answer, sizeof answer, 0);
        if (length <= 0)
            return false;
        for (struct nlmsghdr *header = (struct nlmsghdr *)answer; NLMSG_OK(header, (size_t)length);
             header = NLMSG_NEXT(header, length)) {
            if (header->nlmsg_type == NLMSG_DONE)
                return true;
            if (header->nlmsg_type == NLMSG_ERROR) {
                errno = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
                return false;
            }
            end_one(ends, NLMSG_DATA(header));
        }
    }
}

void connections_end(void) {
    static const uint8_t families[] = {AF_INET, AF_INET6};
    int list = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int ends = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    bool ok = list >= 0 && ends >= 0;
    for (unsigned i = 0; ok && i < sizeof families; i++)
        ok = ask(list, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, families[i], NULL) && end_listed(list, ends);
    if (!ok)
        console_say("connections of the machine this one was made from are not ended: %s", strerror(errno));
    if (list >= 0)
        close(list);
    if (ends >= 0)
        close(ends);
}
