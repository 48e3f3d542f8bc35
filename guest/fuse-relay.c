#include "fuse-relay.h"

#include "buffer.h"
#include "fuse-mount.h"
#include "hanging-mounts.h"
#include "loop.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ours besides the kernel's: see vmm/livemount-message.h, which says the same. */
enum { LIVE_HELLO = 0x6d610001, LIVE_PAUSED = 0x6d610002, LIVE_STORED = 0x6d610003 };
enum { LIVE_PAUSE = 0x6d610001, LIVE_STATE = 0x6d610002, LIVE_GO = 0x6d610003 };
/* What a server takes. The kernel refuses to be read with less than a request with its largest payload needs, and
 * fills whatever it is read with when there is much to forget. */
enum { LARGEST_REQUEST = 262144 + 4096, LARGEST_ANSWER = 64 << 20 };
/* A machine that was resumed has its servers at once. */
enum { PATIENCE_MS = 60000 };

struct relay {
    struct connection *connection; /* to the server; NULL: not yet, or not any more */
    struct watch device;           /* /dev/fuse */
    struct timer patience;
    struct buffer out, in;
    char *guest;     /* where it is mounted; NULL: this port is free */
    uint8_t *memory; /* what the server wants to be told by whom it talks to next */
    size_t memory_length;
    bool paused;
};

static struct relay relays[MOST_LIVE_MOUNTS];

struct relay_connection {
    struct connection connection;
    struct relay *relay;
};

static struct relay *relay_of(struct connection *connection) {
    return ((struct relay_connection *)connection)->relay;
}

static void forget(struct relay *relay) {
    free(relay->memory);
    relay->memory = NULL;
    relay->memory_length = 0;
}

/* Closing the device fails everything that waits for it, and all that comes after. */
static void let_go(struct relay *relay) {
    timer_stop(&relay->patience);
    loop_close(&relay->device);
    buffer_free(&relay->out);
    buffer_free(&relay->in);
    forget(relay);
    if (relay->connection != NULL && relay->connection->stream != NULL) {
        struct connection *connection = relay->connection;
        stream_reset(connection->stream);
        free(connection);
    }
    relay->connection = NULL;
}

static void flush(struct relay *relay) {
    size_t length = buffer_length(&relay->out);
    if (relay->connection != NULL && length > 0)
        buffer_take(&relay->out, stream_send(relay->connection->stream, buffer_bytes(&relay->out), length));
    bool reads = relay->connection != NULL && !relay->paused && buffer_length(&relay->out) == 0;
    loop_want(&relay->device, reads ? EPOLLIN : 0);
}

/* The rest of what the stream does not take at once waits here, and the kernel with it. */
static void send_bytes(struct relay *relay, const void *bytes, size_t length) {
    size_t sent = 0;
    if (buffer_length(&relay->out) == 0)
        sent = stream_send(relay->connection->stream, bytes, length);
    if (sent < length && !buffer_put(&relay->out, (const uint8_t *)bytes + sent, length - sent))
        let_go(relay);
}

static void say(struct relay *relay, uint32_t what, const uint8_t *bytes, size_t length) {
    struct fuse_in_header header = {.len = (uint32_t)(sizeof header + length), .opcode = what};
    send_bytes(relay, &header, sizeof header);
    if (length > 0 && relay->device.fd >= 0)
        send_bytes(relay, bytes, length);
}

static void device_ready(struct watch *watch, uint32_t events) {
    static uint8_t request[LARGEST_REQUEST];
    struct relay *relay = watch->owner;
    (void)events;
    /* Fetched before what came just now told us to read no more. */
    if (watch->events == 0)
        return;
    for (unsigned round = 0; round < 64; round++) {
        ssize_t length = read(watch->fd, request, sizeof request);
        if (length < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOENT))
            break;
        if (length <= 0) {
            /* Unmounted. */
            let_go(relay);
            return;
        }
        send_bytes(relay, request, (size_t)length);
        if (watch->fd < 0 || buffer_length(&relay->out) > 0)
            break;
    }
    if (watch->fd >= 0)
        flush(relay);
}

static void out_of_patience(struct timer *timer) {
    let_go(timer->owner);
}

/* False when the message is none of ours. */
static bool take_own(struct relay *relay, const struct fuse_out_header *header, const uint8_t *body, size_t length) {
    if (header->unique != 0)
        return false;
    if (header->error == LIVE_PAUSE) {
        relay->paused = true;
        say(relay, LIVE_PAUSED, NULL, 0);
    } else if (header->error == LIVE_STATE) {
        forget(relay);
        relay->memory = malloc(length + 1);
        if (relay->memory == NULL) {
            let_go(relay);
            return true;
        }
        memcpy(relay->memory, body, length);
        relay->memory_length = length;
        say(relay, LIVE_STORED, NULL, 0);
    } else if (header->error == LIVE_GO) {
        forget(relay);
        relay->paused = false;
    } else {
        return false;
    }
    return true;
}

/* The kernel knows best what is wrong with an answer; one that came too late is no loss. */
static void take_answer(struct relay *relay, const uint8_t *bytes, size_t length) {
    struct fuse_out_header header;
    memcpy(&header, bytes, sizeof header);
    if (!take_own(relay, &header, bytes + sizeof header, length - sizeof header) &&
        write(relay->device.fd, bytes, length) < 0 && errno == ENODEV)
        let_go(relay);
}

/* Length of the answer at the beginning, 0 when it is not all there. */
static size_t whole_answer(const uint8_t *bytes, size_t length) {
    uint32_t size;
    if (length < sizeof(struct fuse_out_header))
        return 0;
    memcpy(&size, bytes, sizeof size);
    if (size < sizeof(struct fuse_out_header) || size > LARGEST_ANSWER)
        return SIZE_MAX;
    return size <= length ? size : 0;
}

static void take_answers(struct relay *relay) {
    size_t size;
    while (relay->device.fd >= 0 &&
           (size = whole_answer(buffer_bytes(&relay->in), buffer_length(&relay->in))) > 0) {
        if (size == SIZE_MAX) {
            let_go(relay);
            return;
        }
        take_answer(relay, buffer_bytes(&relay->in), size);
        if (relay->device.fd >= 0)
            buffer_take(&relay->in, size);
    }
}

static void on_data(struct connection *connection, const uint8_t *bytes, size_t length) {
    struct relay *relay = relay_of(connection);
    stream_consumed(connection->stream, length);
    if (!buffer_put(&relay->in, bytes, length))
        let_go(relay);
    else
        take_answers(relay);
    if (relay->device.fd >= 0)
        flush(relay);
}

static void on_finished(struct connection *connection) {
    let_go(relay_of(connection));
}

static void on_writable(struct connection *connection) {
    flush(relay_of(connection));
}

/* At rest the next server may be that of another machine; otherwise there are questions it has never heard of. */
static void on_gone(struct connection *connection) {
    struct relay *relay = relay_of(connection);
    free(connection);
    relay->connection = NULL;
    buffer_free(&relay->in);
    buffer_free(&relay->out);
    if (!relay->paused || relay->memory == NULL) {
        let_go(relay);
        return;
    }
    loop_want(&relay->device, 0);
    timer_start(&relay->patience, PATIENCE_MS);
}

struct connection *fuse_opened(struct stream *stream, uint16_t port) {
    struct relay *relay = &relays[port - FIRST_LIVE_PORT];
    if (relay->guest == NULL || relay->device.fd < 0 || relay->connection != NULL)
        return NULL;
    struct relay_connection *own = calloc(1, sizeof *own);
    if (own == NULL)
        return NULL;
    own->connection.stream = stream;
    own->relay = relay;
    timer_stop(&relay->patience);
    relay->connection = &own->connection;
    relay->paused = false;
    say(relay, LIVE_HELLO, relay->memory, relay->memory_length);
    forget(relay);
    flush(relay);
    return relay->connection;
}

/* The agent asks fuse_opened(), which knows the port. */
static struct connection *opened(struct stream *stream) {
    (void)stream;
    return NULL;
}

const struct service fuse_service = {0, opened, on_data, on_finished, on_writable, on_gone};

static const char *mount_one(struct relay *relay, const char *guest, bool read_only) {
    if (relay->guest != NULL)
        return strcmp(relay->guest, guest) != 0 ? "another live mount has this port"
               : fuse_set_mode(guest, read_only) ? NULL : strerror(errno);
    int device = fuse_mount(guest);
    if (device < 0 || !fuse_set_mode(guest, read_only) || (relay->guest = strdup(guest)) == NULL) {
        int error = errno;
        if (device >= 0)
            close(device);
        return strerror(error);
    }
    relay->device = (struct watch){.fd = device, .ready = device_ready, .owner = relay};
    relay->patience = (struct timer){.fired = out_of_patience, .owner = relay};
    timer_start(&relay->patience, PATIENCE_MS);
    return NULL;
}

const char *live_mounts_apply(const struct json *list) {
    const char *problem = NULL;
    for (const struct json *item = list == NULL ? NULL : list->child; item != NULL && problem == NULL; item = item->next) {
        const struct json *guest = json_member(item, "guest", JSON_STRING), *mode = json_member(item, "mode", JSON_STRING);
        int64_t port;
        if (guest == NULL || mode == NULL || !json_integer(json_find(item, "port"), FIRST_LIVE_PORT + MOST_LIVE_MOUNTS - 1, &port) ||
            port < FIRST_LIVE_PORT)
            return "malformed live mount";
        problem = mount_one(&relays[port - FIRST_LIVE_PORT], guest->string, strcmp(mode->string, "ro") == 0);
    }
    /* Commands are started in another way from here on, also the one that is started next. */
    if (list != NULL)
        hanging_mounts_look();
    return problem;
}

bool live_mounts_any(void) {
    for (unsigned i = 0; i < MOST_LIVE_MOUNTS; i++)
        if (relays[i].guest != NULL && relays[i].device.fd >= 0)
            return true;
    return false;
}

void live_mounts_abandon(void) {
    for (unsigned i = 0; i < MOST_LIVE_MOUNTS; i++)
        if (relays[i].guest != NULL)
            let_go(&relays[i]);
}
