/* Every unit test of the VMM's pure parts, and what they have in common. */
#ifndef UNIT_TESTS_H
#define UNIT_TESTS_H

#include "json.h"
#include "../check.h"

/* The same numbers in every run. */
uint32_t random_number(void);
/* From a copy without room behind it, so that ASan sees every byte read too far. */
bool parse_exact(const char *text, size_t length, struct json *value);

void test_json(void);
void test_json_fuzz(void);
void test_sha256(void);
void test_config(void);
void test_captured(void);
void test_fit(void);
void test_frame_filter(void);
void test_frames(void);
void test_ports(void);
void test_delta(void);
void test_livemount_check(void);
void test_copy(void);
void test_lease_signal(void);
void test_qcow2(const char *path, const char *size);
void test_self_contained(const char *path);
void test_join(char **layers, int count, uint64_t size);
void test_join_fuzz(const char *base, const char *overlay, uint64_t size);

#endif
