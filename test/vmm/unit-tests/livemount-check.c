/* What passes the check is given to libfuse with nothing but a page that cannot be read behind it. */
#include "tests.h"
#include "livemount-check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

#define ROOM 8192u
#define MOST_OPCODES 64u

static volatile size_t seen;

/* As an operation may: every byte it was told of. */
static void look_at(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        seen += (unsigned char)bytes[i];
}

static void look_at_name(const char *name) {
    look_at(name, strlen(name) + 1);
}

static void on_name(fuse_req_t request, fuse_ino_t id, const char *name) {
    (void)id;
    look_at_name(name);
    fuse_reply_err(request, 0);
}

static void on_mknod(fuse_req_t request, fuse_ino_t id, const char *name, mode_t mode, dev_t device) {
    (void)device;
    seen += mode;
    on_name(request, id, name);
}

static void on_mkdir(fuse_req_t request, fuse_ino_t id, const char *name, mode_t mode) {
    on_mknod(request, id, name, mode, 0);
}

static void on_create(fuse_req_t request, fuse_ino_t id, const char *name, mode_t mode, struct fuse_file_info *file) {
    (void)file;
    on_mkdir(request, id, name, mode);
}

static void on_symlink(fuse_req_t request, const char *target, fuse_ino_t id, const char *name) {
    look_at_name(target);
    on_name(request, id, name);
}

static void on_rename(fuse_req_t request, fuse_ino_t id, const char *name, fuse_ino_t to, const char *new_name, unsigned flags) {
    (void)to;
    seen += flags;
    on_symlink(request, new_name, id, name);
}

static void on_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t to, const char *name) {
    (void)to;
    on_name(request, id, name);
}

static void on_setxattr(fuse_req_t request, fuse_ino_t id, const char *name, const char *value, size_t size, int flags) {
    seen += (size_t)flags;
    look_at(value, size);
    on_name(request, id, name);
}

static void on_getxattr(fuse_req_t request, fuse_ino_t id, const char *name, size_t size) {
    (void)size;
    on_name(request, id, name);
}

static void on_write(fuse_req_t request, fuse_ino_t id, const char *bytes, size_t size, off_t at, struct fuse_file_info *file) {
    (void)id;
    (void)at;
    (void)file;
    look_at(bytes, size);
    fuse_reply_err(request, 0);
}

static void on_forgets(fuse_req_t request, size_t count, struct fuse_forget_data *forgets) {
    look_at((const char *)forgets, count * sizeof *forgets);
    fuse_reply_none(request);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_name, .unlink = on_name, .rmdir = on_name, .removexattr = on_name, .mknod = on_mknod, .mkdir = on_mkdir,
    .create = on_create, .symlink = on_symlink, .rename = on_rename, .link = on_link, .setxattr = on_setxattr,
    .getxattr = on_getxattr, .write = on_write, .forget_multi = on_forgets,
};

static unsigned answers;

static ssize_t count_answer(int fd, struct iovec *pieces, int count, void *unused) {
    (void)fd;
    (void)unused;
    for (int i = 0; i < count; i++)
        look_at(pieces[i].iov_base, pieces[i].iov_len);
    answers++;
    return 0;
}

static ssize_t read_nothing(int fd, void *bytes, size_t room, void *unused) {
    (void)fd;
    (void)bytes;
    (void)room;
    (void)unused;
    return 0;
}

static struct fuse_session *make_session(void) {
    char *words[] = {"test", NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(1, words);
    struct fuse_custom_io io = {.writev = count_answer, .read = read_nothing};
    struct fuse_session *session = fuse_session_new(&arguments, &operations, sizeof operations, NULL);
    CHECK(session && fuse_session_custom_io(session, &io, open("/dev/null", O_RDWR)) == 0);
    fuse_opt_free_args(&arguments);
    return session;
}

/* The end of a mapping whose next page cannot be read. */
static uint8_t *guarded_end(void) {
    uint8_t *room = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(room != MAP_FAILED && mprotect(room + ROOM, 4096, PROT_NONE) == 0);
    return room + ROOM;
}

static size_t put(uint8_t *at, const void *bytes, size_t length) {
    memcpy(at, bytes, length);
    return length;
}

/* Often nearly right: arguments of usual sizes, words that are mostly small, strings that mostly end, true counts. */
static size_t make_message(uint8_t *message) {
    static const uint8_t sizes[] = {0, 4, 8, 8, 16, 16, 24, 24, 32, 40, 56, 64, 88};
    struct fuse_in_header header = {.opcode = random_number() % 55, .unique = 1, .nodeid = random_number() % 4};
    size_t length = sizeof header, fixed = sizes[random_number() % sizeof sizes];
    uint8_t *arguments = message + length;
    for (size_t i = 0; i < fixed; i += 4) {
        uint32_t word = random_number() % 3 ? random_number() % 40 : random_number();
        length += put(message + length, &word, sizeof word);
    }
    for (unsigned i = random_number() % 4; i > 0; i--) {
        size_t size = random_number() % 12;
        memset(message + length, 'a', size);
        length += size;
        message[length] = '\0';
        length += random_number() % 8 ? 1 : 0;
    }
    uint32_t more = random_number() % 2 ? 16 * (random_number() % 6) : 0, count = more / 16;
    memset(message + length, 'b', more);
    length += more;
    if (fixed > 0 && random_number() % 2)
        put(arguments, header.opcode == FUSE_BATCH_FORGET ? &count : &more, sizeof more);
    if (fixed >= sizeof(struct fuse_write_in) && random_number() % 2)
        put(arguments + offsetof(struct fuse_write_in, size), &more, sizeof more);
    header.len = (uint32_t)length + (random_number() % 16 ? 0 : random_number() % 9);
    put(message, &header, sizeof header);
    return length;
}

static void process(struct fuse_session *session, uint8_t *message, size_t length) {
    struct fuse_buf buffer = {.mem = message, .size = length};
    fuse_session_process_buf(session, &buffer);
}

static void greet(struct fuse_session *session) {
    struct {
        struct fuse_in_header header;
        struct fuse_init_in init;
    } message = {{.len = sizeof message, .opcode = FUSE_INIT}, {.major = FUSE_KERNEL_VERSION, .minor = 38}};
    CHECK(check_request((uint8_t *)&message, sizeof message, true) == 0);
    process(session, (uint8_t *)&message, sizeof message);
    CHECK(answers == 1);
    message.header.len = sizeof message.header + offsetof(struct fuse_init_in, flags2);
    CHECK(check_request((uint8_t *)&message, message.header.len, true) == 0);
    message.init.flags = FUSE_INIT_EXT;
    CHECK(check_request((uint8_t *)&message, message.header.len, true) == EINVAL);
    message.header.len = sizeof message;
    message.init.minor = 30;
    CHECK(check_request((uint8_t *)&message, sizeof message, true) == EPROTO);
}

void test_livemount_check(void) {
    struct fuse_session *session = make_session();
    unsigned passed[MOST_OPCODES] = {0}, kinds = 0;
    uint8_t *end = guarded_end(), message[1024];
    greet(session);
    for (unsigned round = 0; round < 400000; round++) {
        size_t length = make_message(message);
        uint8_t *copy = end - length;
        put(copy, message, length);
        if (check_request(copy, length, false) == 0) {
            process(session, copy, length);
            passed[((struct fuse_in_header *)message)->opcode]++;
        }
        /* It looks no further than it is told, either. */
        check_request(copy, random_number() % (length + 1), true);
        for (size_t cut = 0; cut < 2; cut++)
            check_request(end - random_number() % (length + 1), 0, true);
    }
    for (unsigned opcode = 0; opcode < MOST_OPCODES; opcode++)
        kinds += passed[opcode] > 0;
    /* Every kind of request there is has come through. */
    CHECK(kinds == 36);
    CHECK(answers > 10000 && seen > 0);
    fuse_session_destroy(session);
}
