/* What QEMU and the runtime say in JSON. */
#include "tests.h"
#include "json.h"

#include <string.h>

void test_json(void) {
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
void test_json_fuzz(void) {
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
