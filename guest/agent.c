#include "agent.h"

#include "client.h"
#include "control.h"
#include "fuse-relay.h"
#include "hanging-mounts.h"
#include "loop.h"
#include "secrets.h"
#include "winsize.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 65536, WRITE_BYTES = 32768, LOOK_AGAIN_MS = 10, TRY_AGAIN_MS = 100 };

static const struct service *const services[] = {&control_service, &winsize_service,
                                                 &secrets_service, &client_service, &files_service};
static struct link *host_link;
static bool ends_with_link;

static void read_port(struct watch *watch, uint32_t events);
static void look_for_port(struct timer *timer);
static void try_again(struct timer *timer);
static struct watch port = {.fd = -1, .ready = read_port};
static struct timer finder = {.fired = look_for_port};
static struct timer retry = {.fired = try_again};

static void on_up(void *context) {
    (void)context;
}

static bool accepted(struct stream *stream, struct connection *connection, const struct service *service) {
    if (connection == NULL)
        return false;
    connection->service = service;
    connection->stream = stream;
    stream_set_data(stream, connection);
    return true;
}

static bool on_opened(void *context, struct stream *stream, uint16_t number) {
    (void)context;
    if (is_live_port(number))
        return accepted(stream, fuse_opened(stream, number), &fuse_service);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i]->port == number)
            return accepted(stream, services[i]->opened(stream), services[i]);
    return false;
}

static void on_data(void *context, struct stream *stream, const uint8_t *bytes, size_t length) {
    (void)context;
    struct connection *connection = stream_data(stream);
    connection->service->data(connection, bytes, length);
}

static void on_finished(void *context, struct stream *stream) {
    (void)context;
    struct connection *connection = stream_data(stream);
    connection->service->finished(connection);
}

static void on_writable(void *context, struct stream *stream) {
    (void)context;
    struct connection *connection = stream_data(stream);
    connection->service->writable(connection);
}

static void on_gone(void *context, struct stream *stream, bool clean) {
    (void)context, (void)clean;
    struct connection *connection = stream_data(stream);
    connection->stream = NULL;
    connection->service->gone(connection);
}

/* Edge triggered: a port whose host end is closed reports a hang-up all the time. EPOLLOUT only while
 * we wait for it: the port reports it for every piece that the host has taken. */
static bool listen_on(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    port.fd = fd;
    return loop_add(&port, EPOLLIN | EPOLLET);
}

static int open_virtio_port(void) {
    static const char ports[] = "/sys/class/virtio-ports";
    int fd = -1;
    DIR *directory = opendir(ports);
    if (directory == NULL)
        return -1;
    for (struct dirent *entry; fd < 0 && (entry = readdir(directory)) != NULL;) {
        char path[512], name[64] = "";
        snprintf(path, sizeof path, "%s/%s/name", ports, entry->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        if (fgets(name, sizeof name, file) != NULL && strcmp(name, "machinen.link\n") == 0) {
            snprintf(path, sizeof path, "/dev/%s", entry->d_name);
            fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        }
        fclose(file);
    }
    closedir(directory);
    return fd;
}

static void look_for_port(struct timer *timer) {
    int fd = open_virtio_port();
    if (fd < 0)
        timer_start(timer, LOOK_AGAIN_MS);
    else
        listen_on(fd);
}

static void read_port(struct watch *watch, uint32_t events) {
    static uint8_t bytes[READ_BYTES];
    (void)events;
    /* What came is answered before more is read, or a flood of input would starve the rest. */
    for (unsigned total = 0; total < READ_BYTES;) {
        ssize_t count = read(watch->fd, bytes, sizeof bytes);
        if (count == 0 && ends_with_link)
            exit(0);
        if (count <= 0)
            return;
        link_input(host_link, bytes, (size_t)count);
        total += (unsigned)count;
    }
    timer_start(&retry, 0);
}

static void try_again(struct timer *timer) {
    (void)timer;
    read_port(&port, EPOLLIN);
}

void agent_flush(void) {
    const uint8_t *bytes;
    size_t length;
    while (port.fd >= 0 && (length = link_output(host_link, &bytes)) > 0) {
        ssize_t count = write(port.fd, bytes, length < WRITE_BYTES ? length : WRITE_BYTES);
        if (count <= 0) {
            loop_want(&port, EPOLLIN | EPOLLOUT | EPOLLET);
            /* Should the wake-up get lost, with the host away or back again, this mends it. */
            if (!retry.armed)
                timer_start(&retry, TRY_AGAIN_MS);
            return;
        }
        link_written(host_link, (size_t)count);
    }
    loop_want(&port, EPOLLIN | EPOLLET);
}

bool agent_is_listening(void) {
    return port.fd >= 0;
}

bool agent_init(int port_fd, const uint8_t key[LINK_KEY_BYTES]) {
    static const struct link_events events = {on_up,       on_opened,   on_data,
                                              on_finished, on_writable, on_gone};
    host_link = link_new(LINK_GUEST, key, &events, NULL);
    if (host_link == NULL)
        return false;
    hanging_mounts_watch();
    ends_with_link = port_fd >= 0;
    if (port_fd >= 0)
        return listen_on(port_fd);
    look_for_port(&finder);
    return true;
}
