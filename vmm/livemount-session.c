#include "livemount-session.h"
#include "livemount-check.h"
#include "livemount-message.h"
#include "livemount-server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* So that one slow file keeps nobody else waiting; one of them reads. */
#define THREADS 5

/* No writes are held back in the guest, so that the host sees them at once; locks stay in the guest's kernel. */
#define WANTED_FEATURES                                                                                                  \
    (FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS |                    \
     FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_DIO | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS)
/* Also wanted, but libfuse 3.14 forgets to say the one and has never heard of the other, without which the guest asks
 * for file capabilities before every write. */
#define UNSAID_FEATURES (FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2)

static struct fuse_session *session;
static int data_fd;
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;
/* Of the handshake, before which there are no other requests: whether it was, what the guest's kernel offers, and
 * whether there is a guest that waits for the answer. */
static bool greeted, unasked;
static uint32_t offered;

static bool send_all(struct iovec *pieces, int count) {
    bool ok = true;
    pthread_mutex_lock(&sending);
    while (ok && count > 0) {
        ssize_t n = writev(data_fd, pieces, count);
        ok = n >= 0 || errno == EINTR;
        for (; count > 0 && n >= (ssize_t)pieces->iov_len; count--) {
            n -= (ssize_t)pieces++->iov_len;
        }
        if (count > 0 && n > 0) {
            pieces->iov_base = (uint8_t *)pieces->iov_base + n;
            pieces->iov_len -= (size_t)n;
        }
    }
    pthread_mutex_unlock(&sending);
    return ok;
}

bool session_send(uint64_t unique, int error, const void *bytes, size_t length) {
    struct fuse_out_header header = {.len = (uint32_t)(sizeof header + length), .error = error, .unique = unique};
    struct iovec pieces[2] = {{&header, sizeof header}, {(void *)(uintptr_t)bytes, length}};
    return send_all(pieces, 2);
}

/* A reader that has gone will be noticed where requests are read; of ENOENT libfuse says nothing on stderr. */
static ssize_t send_answer(int fd, struct iovec *pieces, int count, void *unused) {
    (void)fd;
    (void)unused;
    if (offered && count == 2 && pieces[1].iov_len == sizeof(struct fuse_init_out)) {
        ((struct fuse_init_out *)pieces[1].iov_base)->flags |= offered & UNSAID_FEATURES;
    }
    errno = ENOENT;
    return unasked || send_all(pieces, count) ? 0 : -1;
}

static void init(void *unused, struct fuse_conn_info *connection) {
    (void)unused;
    connection->want = WANTED_FEATURES & connection->capable;
    connection->max_write = connection->max_write < LIVE_MAX_DATA ? connection->max_write : LIVE_MAX_DATA;
    connection->max_background = 64;
}

static const struct fuse_lowlevel_ops operations = {
    .init = init, .forget = live_forget, .forget_multi = live_forget_multi, .statfs = live_statfs,
    .lookup = live_lookup, .mknod = live_mknod, .mkdir = live_mkdir, .symlink = live_symlink, .link = live_link,
    .unlink = live_unlink, .rmdir = live_rmdir, .rename = live_rename, .create = live_create,
    .getattr = live_getattr, .setattr = live_setattr, .readlink = live_readlink, .setxattr = live_setxattr,
    .getxattr = live_getxattr, .listxattr = live_listxattr, .removexattr = live_removexattr,
    .open = live_open, .read = live_read, .write = live_write, .fsync = live_fsync, .fallocate = live_fallocate,
    .lseek = live_lseek, .copy_file_range = live_copy, .release = live_release,
    .opendir = live_opendir, .readdir = live_readdir, .readdirplus = live_readdirplus, .fsyncdir = live_fsyncdir,
    .releasedir = live_releasedir,
};

/* What libfuse would complain of is not worth a line of the host's for each message of a hostile guest. */
static void keep_silent(enum fuse_log_level level, const char *format, va_list arguments) {
    (void)level;
    (void)format;
    (void)arguments;
}

bool session_init(int data, session_reader reader) {
    char *words[] = {"machinen", NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(1, words);
    struct fuse_custom_io io = {.writev = send_answer, .read = reader};
    data_fd = data;
    signal(SIGPIPE, SIG_IGN);
    fuse_set_log_func(keep_silent);
    session = fuse_session_new(&arguments, &operations, sizeof operations, NULL);
    fuse_opt_free_args(&arguments);
    return session && fuse_session_custom_io(session, &io, data) == 0;
}

void session_loop(void) {
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    if (config) {
        fuse_loop_cfg_set_max_threads(config, THREADS);
        fuse_session_loop_mt(session, config);
    }
}

static void greet(struct fuse_in_header *header, const struct fuse_init_in *init) {
    struct fuse_buf message = {.mem = header, .size = header->len};
    offered = init->flags;
    fuse_session_process_buf(session, &message);
    offered = 0;
    greeted = true;
}

/* A guest that comes with its files has had its answer from the server before us; all of them answer the same. */
static void greet_for_guest(void) {
    struct {
        struct fuse_in_header header;
        struct fuse_init_in init;
    } message = {{.len = sizeof message, .opcode = FUSE_INIT},
                 {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .flags = FUSE_MAX_PAGES}};
    unasked = true;
    greet(&message.header, &message.init);
    unasked = false;
}

/* libfuse 3.14 does not know FUSE_TMPFILE: it gets a FUSE_CREATE, whose arguments and answer are the same. */
static void mark_temporary(struct fuse_in_header *header, struct fuse_create_in *create) {
    if (header->opcode == FUSE_CREATE) {
        create->flags &= ~(uint32_t)LIVE_TEMPORARY;
    } else if (header->opcode == FUSE_TMPFILE) {
        create->flags |= LIVE_TEMPORARY;
        header->opcode = FUSE_CREATE;
    }
}

bool session_admits(uint8_t *message, size_t length) {
    struct fuse_in_header *header = (struct fuse_in_header *)message;
    int error = check_request(message, length, server.read_only);
    bool is_greeting = !error && header->opcode == FUSE_INIT;
    if (is_greeting && !greeted) {
        greet(header, (struct fuse_init_in *)(header + 1));
        return false;
    }
    error = is_greeting ? EIO : error;
    if (error) {
        if (!is_silent(header->opcode)) {
            session_send(header->unique, -error, NULL, 0);
        }
        return false;
    }
    if (!greeted) {
        greet_for_guest();
    }
    mark_temporary(header, (struct fuse_create_in *)(header + 1));
    return true;
}

char *session_buffer(void) {
    static _Thread_local char *bytes;
    return bytes ? bytes : (bytes = malloc(LIVE_MAX_DATA));
}
