/*
 * The relay of one live mount between the real loop and what stands in for its two ends: a socket for the kernel's
 * device, and a stream that notes what it is given. Says "ok", or which promise is broken.
 */
#include "buffer.h"
#include "fuse-mount.h"
#include "fuse-relay.h"
#include "hanging-mounts.h"
#include "loop.h"

#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLO = 0x6d610001, PAUSED = 0x6d610002, STORED = 0x6d610003, PAUSE = 0x6d610001, STATE = 0x6d610002, GO = 0x6d610003 };
enum { KERNEL, AGENT, ENDS };
enum { NOTHING };
/* docs/protocol.md, section 8 */
enum { LARGEST_TAKEN = 266240 };

static int device[ENDS], host[ENDS];
static struct buffer sent;
static struct connection *connection;
static bool ended;

int fuse_mount(const char *at) {
    (void)at;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, device) == 0 ? device[AGENT] : -1;
}

bool fuse_set_mode(const char *at, bool read_only) {
    (void)at;
    (void)read_only;
    return true;
}

void hanging_mounts_look(void) {
}

size_t stream_send(struct stream *stream, const void *bytes, size_t length) {
    (void)stream;
    return buffer_put(&sent, bytes, length) ? length : 0;
}

void stream_consumed(struct stream *stream, size_t count) {
    (void)stream;
    (void)count;
}

void stream_reset(struct stream *stream) {
    (void)stream;
    ended = true;
}

static void require(bool kept, const char *promise) {
    if (!kept) {
        puts(promise);
        exit(1);
    }
}

static void answer(uint32_t what) {
    struct fuse_out_header header = {.len = sizeof header, .error = (int32_t)what};
    fuse_service.data(connection, (const uint8_t *)&header, sizeof header);
}

static void ask(uint32_t opcode) {
    struct fuse_in_header header = {.len = sizeof header, .opcode = opcode, .unique = 2};
    require(send(device[KERNEL], &header, sizeof header, 0) == sizeof header, "the kernel can ask");
}

/* As many forgotten files at once as it is read with: it must not be read with more than a server takes. */
static void forget_many(void) {
    static uint8_t batch[LARGEST_TAKEN + 4096];
    struct fuse_in_header header = {.len = sizeof batch, .opcode = FUSE_BATCH_FORGET, .unique = 2};
    int room = 2 * sizeof batch;
    memcpy(batch, &header, sizeof header);
    require(setsockopt(device[KERNEL], SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0 &&
                send(device[KERNEL], batch, sizeof batch, 0) == sizeof batch,
            "the kernel can forget");
    loop_once();
    require(buffer_length(&sent) == LARGEST_TAKEN, "the kernel is read with what a server takes");
    buffer_take(&sent, LARGEST_TAKEN);
}

/* The next of what was sent is this; or there was nothing more. */
static bool was_sent(uint32_t opcode) {
    struct fuse_in_header header;
    if (buffer_length(&sent) < sizeof header)
        return opcode == NOTHING && buffer_length(&sent) == 0;
    memcpy(&header, buffer_bytes(&sent), sizeof header);
    buffer_take(&sent, sizeof header);
    return header.opcode == opcode;
}

static void nothing_to_do(struct timer *timer) {
    (void)timer;
}

static bool server_goes;

/* The host wants a pause; its server may then make way for that of another machine. */
static void host_speaks(struct watch *watch, uint32_t events) {
    char byte;
    (void)events;
    require(read(watch->fd, &byte, 1) == 1, "the host was heard");
    answer(PAUSE);
    if (server_goes) {
        answer(STATE);
        fuse_service.gone(connection);
    }
}

int main(int argc, char **argv) {
    static const char list[] = "[{\"guest\":\"/mnt\",\"port\":2000,\"mode\":\"rw\"}]";
    static char stream;
    struct json *mounts = json_parse(list, sizeof list - 1);
    struct watch input = {.ready = host_speaks};
    struct timer now = {.fired = nothing_to_do};
    server_goes = argc > 1 && strcmp(argv[1], "server-goes") == 0;
    require(mounts != NULL && loop_init() && live_mounts_apply(mounts) == NULL, "a live mount can be made");
    json_free(mounts);
    connection = fuse_opened((struct stream *)(void *)&stream, FIRST_LIVE_PORT);
    require(connection != NULL && was_sent(HELLO), "a server is greeted");
    require(pipe(host) == 0, "there is a link");
    input.fd = host[0];
    loop_add(&input, EPOLLIN);

    ask(FUSE_GETATTR);
    loop_once();
    require(was_sent(FUSE_GETATTR), "requests are passed on");
    forget_many();

    /* Both become ready at once, the link first: epoll must not have the device on its list any more. */
    timer_start(&now, 0);
    loop_once();
    require(write(host[1], "", 1) == 1, "the host can speak");
    ask(FUSE_RELEASE);
    loop_once();
    require(was_sent(PAUSED), "a pause is confirmed");
    require(!server_goes || was_sent(STORED), "what is to be kept is kept");
    require(was_sent(NOTHING), "nothing follows the word that nothing follows");
    if (server_goes)
        connection = fuse_opened((struct stream *)(void *)&stream, FIRST_LIVE_PORT);
    else
        answer(GO);
    require(connection != NULL && was_sent(server_goes ? HELLO : NOTHING), "the next server is greeted");
    loop_once();
    require(was_sent(FUSE_RELEASE), "what waited meanwhile is passed on");
    require(!ended, "the mount lives");
    puts("ok");
    return 0;
}
