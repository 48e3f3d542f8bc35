/* Checksums: known answers, and both ways to compute them. */
#include "tests.h"
#include "sha256-blocks.h"
#include "sha256.h"

#include <string.h>

void test_sha256(void) {
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
