/* Unit tests of the VMM's pure parts, run under ASan and UBSan by unit.test.ts: `unit-tests <name> [file]`. */
#include "config.h"
#include "captured.h"
#include "cgroup-memory.h"
#include "copy.h"
#include "files.h"
#include "fit.h"
#include "frames.h"
#include "json.h"
#include "pages.h"
#include "ports.h"
#include "qcow2.h"
#include "run-dir.h"
#include "sha256-blocks.h"
#include "sha256.h"
#include "vm.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

static uint32_t random_state = 12345;

static uint32_t random_number(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* A copy without room behind it, so that ASan sees every byte read too far. */
static bool parse_exact(const char *text, size_t length, struct json *value) {
    static char *held;
    free(held);
    held = malloc(length ? length : 1);
    memcpy(held, text, length);
    return json_parse(held, length, value);
}

static void test_json(void) {
    static const char *const good[] = {"{}", " [ ] ", "{\"a\":[1,-2.5e+3,true,false,null,\"x\\u00e4\\n\"]}", "0", "\"\""};
    static const char *const bad[] = {"", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "\"\\x\"", "\"\\u12g4\"", "1.", "1e", "tru", "[1] 2", "\"a\nb\"", "-"};
    struct json value, member, element;
    uint64_t number;
    char text[16];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(parse_exact(good[i], strlen(good[i]), &value));
        for (size_t cut = 1; cut < strlen(good[i]); cut++) {
            parse_exact(good[i], cut, &value);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!parse_exact(bad[i], strlen(bad[i]), &value));
    }
    const char *object = "{\"return\":{\"n\":18446744073709551615,\"big\":18446744073709551616,\"s\":\"a\\\"\\u00e4\\/\"},\"list\":[1,[2,3],\"4\"]}";
    CHECK(parse_exact(object, strlen(object), &value));
    CHECK(json_member(value, "return", &member) && json_member(member, "n", &element));
    CHECK(json_u64(element, &number) && number == UINT64_MAX);
    CHECK(json_member(member, "big", &element) && !json_u64(element, &number));
    CHECK(json_member(member, "s", &element) && json_string(element, text, sizeof text) && strcmp(text, "a\"\xc3\xa4/") == 0);
    CHECK(!json_string(element, text, 5) && json_string(element, text, 6));
    CHECK(!json_member(value, "n", &element) && !json_member(element, "x", &member));
    CHECK(json_member(value, "list", &member) && json_element(member, 2, &element) && json_string(element, text, sizeof text));
    CHECK(strcmp(text, "4") == 0 && !json_element(member, 3, &element));
    CHECK(strcmp(json_escape("a\"\\\n", text, sizeof text), "a\\\"\\\\\\u000a") == 0);
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    CHECK(!parse_exact(deep, 200, &value) && parse_exact(deep + 80, 40, &value));
}

/* Bytes that look like QMP, cut and damaged: whatever is accepted must be readable to the end. */
static void test_json_fuzz(void) {
    static const char seed[] = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2}, \"package\": \"D\\u0041\\\\\"}, \"capabilities\": [\"oob\", {}, [1.5e3, null]]}}";
    static const char alphabet[] = "{}[]\",:\\u0019eE+-.truefalsn \n\x80\x01";
    int accepted = 0;
    for (int round = 0; round < 200000; round++) {
        char text[sizeof seed];
        size_t length = random_number() % 4 ? sizeof seed - 1 : random_number() % sizeof seed;
        memcpy(text, seed, sizeof seed);
        for (uint32_t hits = random_number() % 4; hits > 0; hits--) {
            text[random_number() % (sizeof seed - 1)] = alphabet[random_number() % (sizeof alphabet - 1)];
        }
        struct json value, member, element;
        char out[64];
        uint64_t number;
        if (parse_exact(text, length, &value)) {
            accepted++;
            if (json_member(value, "QMP", &member) && json_member(member, "capabilities", &element)) {
                for (size_t i = 0; i < 5; i++) {
                    if (json_element(element, i, &member)) {
                        json_string(member, out, sizeof out);
                        json_u64(member, &number);
                    }
                }
            }
            if (json_member(value, "QMP", &member) && json_member(member, "version", &element) && json_member(element, "package", &member)) {
                json_string(member, out, random_number() % sizeof out);
            }
        }
    }
    CHECK(accepted > 1000);
}

static void test_sha256(void) {
    struct sha256 hash;
    char hex[65], block[1000];
    sha256_start(&hash);
    sha256_end(&hash, hex);
    CHECK(strcmp(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0);
    memset(block, 'a', sizeof block);
    for (size_t piece = 1; piece <= sizeof block; piece += 37) {
        sha256_start(&hash);
        for (size_t left = 1000000; left > 0;) {
            size_t length = piece < left ? piece : left;
            sha256_add(&hash, block, length);
            left -= length;
        }
        sha256_end(&hash, hex);
        CHECK(strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") == 0);
    }
    for (unsigned round = 0; sha256_has_instructions() && round < 200; round++) {
        uint8_t bytes[64 * 5 + 1];
        uint32_t by_hand[8], native[8];
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)random_number();
        }
        for (size_t i = 0; i < 8; i++) {
            by_hand[i] = native[i] = (uint32_t)random_number();
        }
        sha256_blocks_portable(by_hand, bytes + 1, round % 6);
        sha256_blocks_native(native, bytes + 1, round % 6);
        CHECK(memcmp(by_hand, native, sizeof native) == 0);
    }
}

static const char *const *environment;

static char *from_environment(const char *name) {
    for (const char *const *pair = environment; pair[0]; pair += 2) {
        if (strcmp(pair[0], name) == 0) {
            return (char *)pair[1];
        }
    }
    return NULL;
}

static bool read_config(struct config *config, const char *const *pairs, char message[400]) {
    struct error error = {0};
    environment = pairs;
    bool ok = config_read(config, from_environment, &error);
    snprintf(message, 400, "%s: %s", error.code, error.message);
    return ok;
}

#define REFUSED(part, ...)                                                                                     \
    do {                                                                                                       \
        const char *const pairs[] = {"MACHINEN_KERNEL", "/k", __VA_ARGS__, NULL, NULL};                        \
        CHECK(!read_config(&config, pairs, message));                                                          \
        CHECK(strncmp(message, "CONFIG_INVALID: ", 16) == 0 && strstr(message, part));                         \
    } while (0)

static void test_config(void) {
    struct config config;
    char message[400], long_path[200] = "in:1:/";
    const char *const plain[] = {"MACHINEN_KERNEL", "/k", NULL, NULL};
    CHECK(read_config(&config, plain, message) && config.memory_mib == 512 && config.cpus == 1 && config.forward_count == 0);
    CHECK(config.accel == ACCEL_PROBE && strcmp(config.qemu, "qemu-system-x86_64") == 0);
    const char *const full[] = {"MACHINEN_INCOMING", "fork:/c", "MACHINEN_VSOCK", "in:1978:/a:b,in:65535:rel", "MACHINEN_ACCEL", "kvm",
                                "MACHINEN_MEMORY", "1024", "MACHINEN_STATS_FILE", "", NULL, NULL};
    CHECK(read_config(&config, full, message) && strcmp(config.incoming_fork, "/c") == 0 && config.memory_mib == 1024);
    CHECK(config.forward_count == 2 && config.forwards[0].port == 1978 && strcmp(config.forwards[0].path, "/a:b") == 0);
    CHECK(config.forwards[1].port == 65535 && strcmp(config.forwards[1].path, "rel") == 0 && !config.stats_file);
    const char *const nothing[] = {NULL, NULL};
    CHECK(!read_config(&config, nothing, message) && strstr(message, "MACHINEN_KERNEL: is not set"));
    REFUSED("MACHINEN_MEMORY", "MACHINEN_MEMORY", "12");
    REFUSED("MACHINEN_MEMORY", "MACHINEN_MEMORY", "512M");
    REFUSED("MACHINEN_MEMORY", "MACHINEN_MEMORY", "99999999999999999999999");
    REFUSED("MACHINEN_CPUS", "MACHINEN_CPUS", "0");
    REFUSED("MACHINEN_ACCEL", "MACHINEN_ACCEL", "hvf");
    REFUSED("MACHINEN_TSC_KHZ", "MACHINEN_TSC_KHZ", "-1");
    REFUSED("MACHINEN_INCOMING", "MACHINEN_INCOMING", "fork:");
    REFUSED("MACHINEN_INCOMING", "MACHINEN_INCOMING", "file:/x");
    REFUSED("MACHINEN_INCOMING", "MACHINEN_INCOMING", "template:");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "token");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "token:0");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "token:257");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", "a b:2");
    REFUSED("MACHINEN_FORK_GROUP", "MACHINEN_FORK_GROUP", ":2");
    REFUSED("MACHINEN_TEMPLATE", "MACHINEN_TEMPLATE", "a b");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "1978:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:1978");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:1978:");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in::/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:0:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:65536:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:19780000000:/a");
    REFUSED("MACHINEN_VSOCK", "MACHINEN_VSOCK", "in:1:/a,,in:2:/b");
    memset(long_path + 6, 'x', 150);
    REFUSED("1 to 107 bytes", "MACHINEN_VSOCK", long_path);
    REFUSED("1 to 107 bytes", "MACHINEN_CONTROL", long_path);
    REFUSED("MACHINEN_BASE", "MACHINEN_BASE", long_path);
}

static void test_captured(void) {
    struct captured from, to;
    struct error error;
    struct json object;
    char members[4096], text[4200];
    captured_init(&from);
    from.memory_mib = 512;
    from.ceiling_mib = 128;
    from.cpus = 2;
    from.key[0] = 0xab;
    strcpy(from.accel, "tcg");
    strcpy(from.machine, MACHINE_NAME);
    strcpy(from.qemu, "7.2.22");
    strcpy(from.processor, "Made up (R) \"9000\" \\ CPU");
    from.tsc_khz = 2500000;
    from.network = true;
    from.disk_count = MAX_DISKS;
    for (size_t i = 0; i < MAX_DISKS; i++) {
        from.disks[i].size = 4096 << i;
        from.disks[i].layers = i + 1;
    }
    from.disks[0].use = DISK_MOUNT_LOWER;
    from.disks[3].use = DISK_MOUNT_UPPER;
    snprintf(text, sizeof text, "{%s}", captured_json(&from, members, sizeof members));
    captured_init(&to);
    CHECK(json_parse(text, strlen(text), &object) && captured_parse(object, &to, &error));
    CHECK(to.memory_mib == 512 && to.ceiling_mib == 128 && to.cpus == 2 && memcmp(to.key, from.key, sizeof to.key) == 0 && to.disk_count == MAX_DISKS);
    CHECK(strcmp(to.processor, from.processor) == 0 && to.tsc_khz == from.tsc_khz);
    CHECK(to.network && to.disks[3].size == 4096 << 3 && to.disks[3].layers == 4);
    CHECK(to.disks[0].use == DISK_MOUNT_LOWER && to.disks[1].use == DISK_ROOT && to.disks[3].use == DISK_MOUNT_UPPER);
    /* A running machine may have been made by a VMM that did not say where it came from. */
    const char *const old = "{\"memoryMib\":512,\"cpus\":1,\"key\":\"%064d\",\"accel\":\"tcg\",\"machine\":\"" MACHINE_NAME
                            "\",\"qemu\":\"7.2.22\",\"network\":true,\"connections\":false,\"disks\":[]}";
    captured_init(&to);
    snprintf(text, sizeof text, old, 0);
    CHECK(json_parse(text, strlen(text), &object) && captured_parse(object, &to, &error) && !*to.processor && to.tsc_khz == 0 && to.ceiling_mib == 512);
    int few[3] = {dup(0), dup(0), dup(0)};
    CHECK(!captured_adopt(&to, true, few, 3) && fcntl(few[0], F_GETFD) < 0);
    /* What nobody writes has one layer. */
    from.disks[1].use = DISK_MOUNT_LOWER;
    snprintf(text, sizeof text, "{%s}", captured_json(&from, members, sizeof members));
    captured_init(&to);
    CHECK(json_parse(text, strlen(text), &object) && !captured_parse(object, &to, &error));
    from.disks[1].use = DISK_ROOT;
    strcpy(from.machine, "other");
    snprintf(text, sizeof text, "{%s}", captured_json(&from, members, sizeof members));
    captured_init(&to);
    CHECK(json_parse(text, strlen(text), &object) && !captured_parse(object, &to, &error) && strcmp(error.code, "STATE_MACHINE") == 0);
    /* Damage anywhere must be refused or understood, never believed half. */
    for (int round = 0; round < 20000; round++) {
        char damaged[4200];
        strcpy(damaged, text);
        damaged[random_number() % strlen(text)] = (char)(32 + random_number() % 95);
        captured_init(&to);
        if (parse_exact(damaged, strlen(damaged), &object) && captured_parse(object, &to, &error)) {
            CHECK(to.disk_count <= MAX_DISKS && to.memory_mib >= 64 && to.ceiling_mib <= to.memory_mib);
        }
    }
}

static void test_fit(void) {
    struct captured saved;
    struct error error;
    captured_init(&saved);
    strcpy(saved.accel, "tcg");
    strcpy(saved.processor, "one");
    saved.tsc_khz = 2500000;
    CHECK(fits_processor(&saved, "another", 2500000, &error) && fits_processor(&saved, "one", 2549000, &error));
    CHECK(fits_processor(&saved, "one", 0, &error));
    CHECK(!fits_processor(&saved, "one", 2551000, &error) && strcmp(error.code, "STATE_PROCESSOR") == 0);
    CHECK(!fits_processor(&saved, "one", 1250000, &error) && strstr(error.message, "MACHINEN_TSC_KHZ=2500000"));
    saved.tsc_khz = 0;
    CHECK(fits_processor(&saved, "one", 1250000, &error));
    strcpy(saved.accel, "kvm");
    CHECK(fits_processor(&saved, "one", 1250000, &error) && !fits_processor(&saved, "another", 0, &error));
    CHECK(strcmp(error.code, "STATE_PROCESSOR") == 0 && strstr(error.message, "'one'") && strstr(error.message, "'another'"));
    CHECK(fits_qemu("7.2.22", "7.2.22", &error) && fits_qemu("7.2.22", "7.2.3", &error) && fits_qemu("7.2.22", "7.2", &error));
    const char *const others[] = {"7.20.1", "7.1.22", "8.2.22", "7", "", "17.2.22"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK(!fits_qemu("7.2.22", others[i], &error) && strcmp(error.code, "STATE_QEMU") == 0);
    }
}

/* An IPv4 packet in a frame of exactly its size, so that ASan sees every byte read too far. */
static bool packet_allowed(uint32_t to, uint8_t protocol, uint16_t port, uint16_t fragment, size_t length) {
    uint8_t *frame = calloc(1, length);
    uint8_t whole[14 + 20 + 4] = {[12] = 0x08, [14] = 0x45, [20] = (uint8_t)(fragment >> 8), [21] = (uint8_t)fragment, [23] = protocol,
        [30] = (uint8_t)(to >> 24), [31] = (uint8_t)(to >> 16), [32] = (uint8_t)(to >> 8), [33] = (uint8_t)to,
        [36] = (uint8_t)(port >> 8), [37] = (uint8_t)port};
    memcpy(frame, whole, length < sizeof whole ? length : sizeof whole);
    bool allowed = frame_allowed(frame, length);
    free(frame);
    return allowed;
}

static void test_frame_filter(void) {
    enum { FULL = 38, TCP = 6, UDP = 17, ICMP = 1 };
    const uint8_t arp[42] = {[12] = 0x08, [13] = 0x06}, ipv6[60] = {[12] = 0x86, [13] = 0xdd};
    CHECK(frame_allowed(arp, sizeof arp) && !frame_allowed(ipv6, sizeof ipv6));
    CHECK(packet_allowed(0xc6120001, TCP, 80, 0, FULL) && packet_allowed(NET_HOST, TCP, 80, 0, FULL));
    CHECK(!packet_allowed(0x7f000001, TCP, 80, 0, FULL) && !packet_allowed(0x7fffffff, UDP, 53, 0, FULL));
    CHECK(!packet_allowed(0, TCP, 80, 0, FULL) && !packet_allowed(0x00ffffff, TCP, 80, 0, FULL) && !packet_allowed(0x7f000001, ICMP, 0, 0, FULL));
    CHECK(packet_allowed(NET_RESOLVER, UDP, 53, 0, FULL) && packet_allowed(NET_RESOLVER, TCP, 53, 0, FULL) && packet_allowed(NET_RESOLVER, ICMP, 0, 0, FULL));
    CHECK(packet_allowed(NET_RESOLVER, UDP, 53, 0x4000, FULL));
    CHECK(!packet_allowed(NET_RESOLVER, TCP, 80, 0, FULL) && !packet_allowed(NET_RESOLVER, UDP, 5353, 0, FULL) && !packet_allowed(NET_RESOLVER, 132, 53, 0, FULL));
    CHECK(!packet_allowed(NET_RESOLVER, UDP, 53, 0x2000, FULL) && !packet_allowed(NET_RESOLVER, UDP, 53, 1, FULL));
    for (size_t length = 1; length < FULL; length++) {
        CHECK(!packet_allowed(NET_RESOLVER, UDP, 53, 0, length));
    }
    CHECK(packet_allowed(0xc6120001, TCP, 80, 0, 1518) && !packet_allowed(0xc6120001, TCP, 80, 0, 1519));
    for (int round = 0; round < 200000; round++) {
        uint8_t frame[64];
        size_t length = random_number() % sizeof frame;
        uint8_t *exact = malloc(length + 1);
        for (size_t i = 0; i < length; i++) {
            frame[i] = (uint8_t)random_number();
        }
        frame[12] = 8;
        frame[13] = 0;
        memcpy(exact, frame, length);
        bool allowed = frame_allowed(length > 14 ? exact : frame, length);
        CHECK(!allowed || (length >= 34 && frame[30] != 127 && frame[30] != 0));
        free(exact);
    }
}

/* However the bytes are cut, the same frames come out; a length that cannot be ends the stream. */
static void test_frames(void) {
    static struct frames_out out;
    static struct frames_in in;
    static uint8_t sent[64][2000], long_frame[MAX_FRAME_BYTES + 1];
    size_t lengths[64], room, length;
    const uint8_t *frame;
    for (size_t i = 0; i < 64; i++) {
        lengths[i] = 1 + random_number() % sizeof sent[i];
        memset(sent[i], (int)random_number(), lengths[i]);
        CHECK(frames_queue(&out, sent[i], lengths[i]));
    }
    CHECK(!frames_queue(&out, sent[0], 0) && !frames_queue(&out, long_frame, sizeof long_frame));
    for (size_t at = 0, next = 0; next < 64;) {
        size_t piece = random_number() % 3000;
        uint8_t *to = frames_room(&in, &room);
        CHECK(room > 0);
        piece = piece < room ? piece : room;
        piece = piece < out.length - at ? piece : out.length - at;
        memcpy(to, out.bytes + at, piece);
        in.length += piece;
        at += piece;
        while (frames_next(&in, &frame, &length) == FRAME_WHOLE) {
            CHECK(next < 64 && length == lengths[next] && memcmp(frame, sent[next], length) == 0);
            next++;
        }
    }
    CHECK(in.length == 0);
    while (frames_queue(&out, long_frame, MAX_FRAME_BYTES)) {
        CHECK(out.start + out.length <= sizeof out.bytes);
    }
    out.start += 5000;
    out.length -= 5000;
    CHECK(out.length + 4 + MAX_FRAME_BYTES > sizeof out.bytes || frames_queue(&out, long_frame, MAX_FRAME_BYTES));
    static const uint8_t bad[][4] = {{0, 0, 0, 0}, {0, 1, 0x10, 1}, {0xff, 0xff, 0xff, 0xff}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        in.start = in.length = 0;
        memcpy(frames_room(&in, &room), bad[i], 4);
        in.length = 4;
        CHECK(frames_next(&in, &frame, &length) == FRAME_BROKEN);
    }
    /* The longest always fits, wherever the one before it ended. */
    in.start = in.length = 0;
    frames_room(&in, &room);
    CHECK(room >= 2 * (MAX_FRAME_BYTES + FRAME_HEAD_BYTES));
}

static void test_ports(void) {
    struct port_forward ports[MAX_PORTS];
    struct error error;
    size_t count;
    char many[4000] = "", text[32];
    CHECK(ports_parse(NULL, ports, &count, &error) && count == 0 && ports_parse("", ports, &count, &error) && count == 0);
    CHECK(ports_parse("127.0.0.1:8080:80,0.0.0.0:65535:1", ports, &count, &error) && count == 2);
    CHECK(ports[0].address == 0x7f000001 && ports[0].host_port == 8080 && ports[0].guest_port == 80 && ports[1].host_port == 65535);
    CHECK(strcmp(port_text(&ports[0], text, sizeof text), "127.0.0.1:8080") == 0);
    static const char *const bad[] = {",", "a", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:1:", "127.0.0.1::1", ":1:1", "127.0.0.1:1:1:1",
        "127.0.0.1:0:1", "127.0.0.1:1:0", "127.0.0.1:65536:1", "127.0.0.1:-1:1", "127.0.0.1: 1:1", "localhost:1:1", "127.0.0.1:1:1,,127.0.0.1:2:2",
        "::1:1:1", "127.0.0.1:1:1;", "127.0.0.1:00000000000000000000000000000000000000000000000000000000000000000001:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!ports_parse(bad[i], ports, &count, &error) && strcmp(error.code, "BAD_FORWARD") == 0);
    }
    for (int i = 1; i <= MAX_PORTS + 1; i++) {
        CHECK(ports_parse(many, ports, &count, &error));
        sprintf(many + strlen(many), "%s127.0.0.1:%d:80", i > 1 ? "," : "", i);
    }
    CHECK(!ports_parse(many, ports, &count, &error));
}

enum { PAGES = 4096 };

/* A process that has this memory mapped as QEMU does, and has written `first` to some of its pages. */
static pid_t mapper(int fd, uint8_t first, int ready) {
    pid_t pid = fork();
    if (pid == 0) {
        uint8_t *map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        for (int page = 0; first && page < PAGES; page++) {
            if (page % 7 == 3 || (page > 1000 && page < 1700)) {
                memset(map + page * PAGE, first + page % 50, PAGE);
            }
        }
        volatile uint8_t read = map[5 * PAGE];
        (void)read;
        CHECK(write(ready, "", 1) == 1);
        pause();
    }
    return pid;
}

/* What one process has written over a sealed base is found, copied and put into another, and nothing else is. */
static void test_delta(void) {
    struct memory memory = {memfd_new("machinen-ram", PAGES * PAGE), false, PAGES * PAGE};
    struct runs runs = {0}, plain = {0};
    struct copy copy;
    struct error error;
    struct stat info;
    char byte;
    int ready[2];
    CHECK(memory.fd >= 0 && write_at(memory.fd, "base", 4, 5 * (off_t)PAGE) && pipe(ready) == 0);
    pid_t parent = mapper(memory.fd, 1, ready[1]), child = mapper(memory.fd, 0, ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1 && read(ready[0], &byte, 1) == 1 && seal(memory.fd));
    CHECK(pages_scan(&memory, child, &runs) && runs.count == 0);
    CHECK(pages_scan(&memory, parent, &runs) && pages_scan_plain(&memory, parent, &plain));
    CHECK(runs.count == plain.count && runs.bytes == plain.bytes && memcmp(runs.list, plain.list, runs.count * sizeof *runs.list) == 0);
    uint64_t bytes = runs.bytes;
    CHECK(runs.count > 400 && bytes > 699 * PAGE);
    CHECK(copy_begin(&copy, COPY_DELTA, &memory, parent, &error) && copy_take(&copy, &error));
    int delta = copy_end(&copy, true, &error);
    CHECK(delta >= 0 && is_sealed(delta, 0) && delta_inject(delta, &memory, child, &error));
    CHECK(pages_scan(&memory, child, &runs) && runs.bytes == bytes && runs.count == plain.count);
    uint8_t *one = malloc(bytes), *two = malloc(bytes);
    CHECK(pages_read(&memory, parent, runs.list, runs.count, one) && pages_read(&memory, child, runs.list, runs.count, two));
    CHECK(memcmp(one, two, bytes) == 0 && one[0] == 1 + 3);
    /* Damage to what the header says is refused and writes nothing that is not in the memory. */
    CHECK(fstat(delta, &info) == 0);
    for (int round = 0; round < 200; round++) {
        int damaged = memfd_new("damaged", (uint64_t)info.st_size);
        uint64_t word = random_number() % 3 ? random_number() : PAGES * PAGE - random_number() % 3 * PAGE;
        CHECK(copy_data(delta, damaged, (uint64_t)info.st_size, &error));
        CHECK(write_at(damaged, &word, sizeof word, (off_t)(random_number() % 400 * 8)) && seal(damaged));
        CHECK(delta_inject(damaged, &memory, child, &error) || strcmp(error.code, "STATE_INVALID") == 0);
        close(damaged);
    }
    int open_delta = memfd_new("unsealed", (uint64_t)info.st_size);
    CHECK(copy_data(delta, open_delta, (uint64_t)info.st_size, &error) && !delta_inject(open_delta, &memory, child, &error));
    kill(parent, SIGKILL);
    kill(child, SIGKILL);
    CHECK(waitpid(parent, NULL, 0) == parent && waitpid(child, NULL, 0) == child);
    CHECK(!copy_begin(&copy, COPY_DELTA, &memory, parent, &error));
    runs_free(&runs);
    runs_free(&plain);
    free(one);
    free(two);
}

/* Pages, a hole and a tail: the copy reads the same, and holds nothing but what is not zero. */
static void test_copy(void) {
    enum { PAGES = 700, TAIL = 100, SIZE = PAGES * 4096 + TAIL };
    static uint8_t before[SIZE], after[SIZE];
    struct error error;
    struct stat info;
    int from = memfd_new("from", SIZE), to = memfd_new("to", SIZE);
    unsigned held = 1;
    for (unsigned page = 0; page < PAGES; page++) {
        bool data = random_number() % 3 == 0, written = data || random_number() % 2;
        if (data) {
            before[page * 4096 + random_number() % 4096] = 1;
        }
        held += data;
        CHECK(!written || write_at(from, before + page * 4096, 4096, page * 4096));
    }
    before[SIZE - 1] = 1;
    CHECK(write_at(from, before + PAGES * 4096, TAIL, PAGES * 4096));
    CHECK(copy_data(from, to, SIZE, &error) && read_at(to, after, SIZE, 0) && memcmp(before, after, SIZE) == 0);
    CHECK(fstat(to, &info) == 0 && info.st_blocks == held * 8);
    close_fd(&from);
    close_fd(&to);
}

static void test_qcow2(const char *path, const char *size) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && !qcow2_write_empty(fd, 0) && !qcow2_write_empty(fd, QCOW2_MAX_BYTES + 1));
    CHECK(qcow2_write_empty(fd, strtoull(size, NULL, 10)));
    close(fd);
}

/* The header's fields that make QEMU open other files, or read something else than it says. */
static void test_self_contained(const char *path) {
    static const struct { off_t at; unsigned char value; } lies[] = {
        {0, 0}, {7, 2}, {19, 1}, {35, 1}, {79, 1}, {79, 4},
    };
    static const unsigned char place = 200;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK(fd >= 0 && !qcow2_is_self_contained(fd) && qcow2_write_empty(fd, 1 << 20) && qcow2_is_self_contained(fd));
        /* Where a name would be, when it is empty: so QEMU writes it when it has joined layers. */
        CHECK(pwrite(fd, &place, 1, 15) == 1 && qcow2_is_self_contained(fd));
        CHECK(pwrite(fd, &lies[i].value, 1, lies[i].at) == 1 && !qcow2_is_self_contained(fd));
        close(fd);
    }
}

/* Joins `layers` into the last file. */
static void test_join(char **layers, int count, uint64_t size) {
    int fds[8];
    struct error error;
    for (int i = 0; i < count; i++) {
        fds[i] = open(layers[i], i < count - 1 ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK(fds[i] >= 0);
    }
    CHECK(qcow2_join(fds, (size_t)count - 1, size, fds[count - 1], &error));
}

/* Whatever the overlay says, reading it ends, and nothing is written beyond the guest's size. */
static void test_join_fuzz(const char *base, const char *overlay, uint64_t size) {
    struct stat info;
    struct error error;
    int from = open(overlay, O_RDONLY), raw = open(base, O_RDONLY);
    CHECK(from >= 0 && raw >= 0 && fstat(from, &info) == 0);
    char *bytes = malloc((size_t)info.st_size);
    CHECK(bytes && read(from, bytes, (size_t)info.st_size) == info.st_size);
    for (int round = 0; round < 100; round++) {
        int damaged = memfd_create("damaged", 0), to = memfd_create("to", 0);
        CHECK(write(damaged, bytes, (size_t)info.st_size) == info.st_size);
        for (int hit = 0; hit < 8; hit++) {
            char byte = (char)random_number();
            /* Half of them in the header, half in the tables. */
            off_t at = hit % 2 ? random_number() % 112 : random_number() % info.st_size & ~7;
            CHECK(pwrite(damaged, &byte, 1, at) == 1);
        }
        int layers[] = {raw, damaged};
        qcow2_join(layers, 2, size, to, &error);
        struct stat result;
        CHECK(fstat(to, &result) == 0 && result.st_size == (off_t)size);
        close(damaged);
        close(to);
    }
    free(bytes);
}

static void test_run_dir(const char *path) {
    struct error error;
    CHECK(run_dir_check(path, &error));
    run_dir_remove(path);
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "json") == 0) {
        test_json();
    } else if (strcmp(name, "json-fuzz") == 0) {
        test_json_fuzz();
    } else if (strcmp(name, "copy") == 0) {
        test_copy();
    } else if (strcmp(name, "sha256") == 0) {
        test_sha256();
    } else if (strcmp(name, "config") == 0) {
        test_config();
    } else if (strcmp(name, "captured") == 0) {
        test_captured();
    } else if (strcmp(name, "fit") == 0) {
        test_fit();
    } else if (strcmp(name, "frames") == 0) {
        test_frames();
    } else if (strcmp(name, "frame-filter") == 0) {
        test_frame_filter();
    } else if (strcmp(name, "ports") == 0) {
        test_ports();
    } else if (strcmp(name, "delta") == 0) {
        test_delta();
    } else if (strcmp(name, "qcow2") == 0 && argc == 4) {
        test_qcow2(argv[2], argv[3]);
    } else if (strcmp(name, "qcow2-check") == 0 && argc == 3) {
        if (!qcow2_is_self_contained(open(argv[2], O_RDONLY))) {
            fprintf(stderr, "names other files\n");
            return 1;
        }
    } else if (strcmp(name, "self-contained") == 0 && argc == 3) {
        test_self_contained(argv[2]);
    } else if (strcmp(name, "join") == 0 && argc > 4 && argc < 12) {
        test_join(argv + 3, argc - 3, strtoull(argv[2], NULL, 10));
    } else if (strcmp(name, "join-fuzz") == 0 && argc == 5) {
        test_join_fuzz(argv[3], argv[4], strtoull(argv[2], NULL, 10));
    } else if (strcmp(name, "cgroup") == 0 && argc == 4) {
        printf("%llu", (unsigned long long)cgroup_available(argv[2], argv[3]));
    } else if (strcmp(name, "run-dir") == 0 && argc == 3) {
        test_run_dir(argv[2]);
    } else {
        fprintf(stderr, "no such test\n");
        return 2;
    }
    return 0;
}
