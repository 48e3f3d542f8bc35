#include "network.h"
#include "forward.h"
#include "frames.h"
#include "loop.h"
#include "network-descriptors.h"
#include "network-ports.h"
#include "vm.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* With this much on its way to the guest, nothing more is taken from the host's sockets. */
#define ENOUGH_QUEUED (256u << 10)

static struct {
    Slirp *slirp;
    struct watch *watch;
    int fd;
    bool open; /* a machine that has been told who it is stays one */
    struct frames_in in;
    struct frames_out out;
    bool sockets[NETWORK_DESCRIPTORS]; /* by number: slirp's own, but for listeners */
    /* Of one round: */
    struct pollfd *fds;
    size_t room, count;
    const struct pollfd *ready;
} network = {.fd = -1};

static ssize_t send_packet(const void *frame, size_t length, void *context) {
    (void)context;
    /* A lost frame is sent again by whoever cares. */
    frames_queue(&network.out, frame, length);
    return (ssize_t)length;
}

/* The guest may misbehave as often as it likes: its console is not for us to fill. */
static void guest_error(const char *message, void *context) {
    (void)message, (void)context;
}

static int64_t clock_get_ns(void *context) {
    (void)context;
    return (int64_t)now_us() * 1000;
}

/* Only router advertisements of IPv6, which is off, have timers; slirp's TCP asks for wake-ups when it is polled. */
static void *timer_new(SlirpTimerCb callback, void *callback_context, void *context) {
    (void)callback, (void)callback_context, (void)context;
    return NULL;
}

static void timer_free(void *timer, void *context) {
    (void)timer, (void)context;
}

static void timer_mod(void *timer, int64_t expire_ms, void *context) {
    (void)timer, (void)expire_ms, (void)context;
}

/* What is polled is asked for anew in every round; this only tells which sockets there are. */
static void socket_opened(int fd, void *context) {
    (void)context;
    if (fd >= 0 && fd < (int)NETWORK_DESCRIPTORS) {
        network.sockets[fd] = true;
    }
}

static void socket_closed(int fd, void *context) {
    (void)context;
    if (fd >= 0 && fd < (int)NETWORK_DESCRIPTORS) {
        network.sockets[fd] = false;
    }
}

bool network_has_connections(void) {
    return memchr(network.sockets, true, sizeof network.sockets) != NULL;
}

static void notify(void *context) {
    (void)context;
}

static bool make_slirp(struct error *error) {
    static const SlirpCb callbacks = {
        .send_packet = send_packet, .guest_error = guest_error, .clock_get_ns = clock_get_ns,
        .timer_new = timer_new, .timer_free = timer_free, .timer_mod = timer_mod,
        .register_poll_fd = socket_opened, .unregister_poll_fd = socket_closed, .notify = notify};
    const SlirpConfig config = {
        .version = 4, .in_enabled = true, .vnetwork = ipv4(NET_NETWORK), .vnetmask = ipv4(NET_MASK),
        .vhost = ipv4(NET_HOST), .vnameserver = ipv4(NET_RESOLVER), .disable_host_loopback = true, .disable_dhcp = true};
    limit_descriptors(OUR_DESCRIPTORS);
    network.slirp = slirp_new(&config, &callbacks, NULL);
    return network.slirp || fail(error, "NO_MEMORY", "the network could not be made");
}

bool network_open(const struct config *config, struct error *error) {
    struct port_forward ports[MAX_PORTS];
    size_t count;
    if (!ports_parse(config->ports, ports, &count, error)) {
        return false;
    }
    if (config->network_off) {
        return count == 0 || fail(error, "NETWORK_OFF", "MACHINEN_FORWARD: the network is off");
    }
    if (!make_slirp(error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!network_port_add(network.slirp, &ports[i], error)) {
            return false;
        }
    }
    return true;
}

static void lost(void) {
    watch_remove(network.watch);
    network.watch = NULL;
    close(network.fd);
    network.fd = -1;
}

static void take_frames(void) {
    const uint8_t *frame;
    size_t length;
    enum frame_result result;
    limit_descriptors(NETWORK_DESCRIPTORS);
    while ((result = frames_next(&network.in, &frame, &length)) == FRAME_WHOLE) {
        if (frame_allowed(frame, length)) {
            slirp_input(network.slirp, frame, (int)length);
        }
    }
    limit_descriptors(OUR_DESCRIPTORS);
    if (result == FRAME_BROKEN) {
        lost();
    }
}

static void guest_ready(void *context, short events) {
    size_t room;
    (void)context;
    if (!(events & (POLLIN | POLLHUP | POLLERR))) {
        return;
    }
    uint8_t *to = frames_room(&network.in, &room);
    ssize_t n = recv(network.fd, to, room, MSG_DONTWAIT);
    if (n > 0) {
        network.in.length += (size_t)n;
        take_frames();
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        lost();
    }
}

bool network_start(int fd) {
    if (!network.slirp || vm.network_off) {
        close(fd);
        return true;
    }
    network.fd = fd;
    network.watch = watch_add(fd, 0, guest_ready, NULL);
    return network.watch != NULL;
}

static void flush(void) {
    struct frames_out *out = &network.out;
    while (out->length > 0) {
        ssize_t n = send(network.fd, out->bytes + out->start, out->length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            return;
        }
        out->start += (size_t)n;
        out->length -= (size_t)n;
    }
    out->start = 0;
}

static int add_poll(int fd, int events, void *context) {
    (void)context;
    if (network.count == network.room) {
        return -1;
    }
    short wanted = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                           (events & SLIRP_POLL_PRI ? POLLPRI : 0));
    network.fds[network.count] = (struct pollfd){fd, wanted, 0};
    return (int)network.count++;
}

static int get_revents(int index, void *context) {
    (void)context;
    short seen = index >= 0 && (size_t)index < network.count ? network.ready[index].revents : 0;
    return (seen & POLLIN ? SLIRP_POLL_IN : 0) | (seen & POLLOUT ? SLIRP_POLL_OUT : 0) | (seen & POLLPRI ? SLIRP_POLL_PRI : 0) |
           (seen & POLLERR ? SLIRP_POLL_ERR : 0) | (seen & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* While the guest stands still its connections do too: nothing times out because of a capture. */
static bool is_open(void) {
    network.open |= !vm.resuming || forward_ready();
    return network.open && !vm.paused && network.fd >= 0;
}

size_t network_wait(struct pollfd *fds, size_t room, int *timeout_ms) {
    uint32_t timeout = (uint32_t)*timeout_ms;
    network.count = 0;
    if (!is_open()) {
        if (network.watch) {
            watch_events(network.watch, 0);
        }
        return 0;
    }
    flush();
    watch_events(network.watch, network.out.length > 0 ? POLLIN | POLLOUT : POLLIN);
    if (network.out.length > ENOUGH_QUEUED) {
        return 0;
    }
    network.fds = fds;
    network.room = room;
    slirp_pollfds_fill(network.slirp, &timeout, add_poll, NULL);
    *timeout_ms = timeout < (uint32_t)*timeout_ms ? (int)timeout : *timeout_ms;
    return network.count;
}

void network_ready(const struct pollfd *fds, size_t count) {
    if (!is_open() || network.out.length > ENOUGH_QUEUED) {
        return;
    }
    network.ready = fds;
    network.count = count;
    limit_descriptors(NETWORK_DESCRIPTORS);
    slirp_pollfds_poll(network.slirp, 0, get_revents, NULL);
    limit_descriptors(OUR_DESCRIPTORS);
}

bool network_request(char *words, char *out, size_t room, struct error *error) {
    *out = '\0';
    if (!network.slirp || vm.network_off) {
        return fail(error, "NETWORK_OFF", "this machine has no network");
    }
    return network_port_request(network.slirp, words, out, room, error);
}
