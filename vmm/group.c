#include "group.h"
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_KEPT 8
#define KEPT_US 10000000ull

static struct kept {
    char token[MAX_TOKEN + 1];
    enum copy_kind kind;
    unsigned left; /* 0: free */
    uint64_t until;
    struct captured captured;
} kept[MAX_KEPT];

static struct kept *find(const char *token) {
    for (struct kept *at = kept; at < kept + MAX_KEPT; at++) {
        if (at->left > 0 && strcmp(at->token, token) == 0) {
            return at;
        }
    }
    return NULL;
}

bool group_has(const char *token) {
    return find(token) != NULL;
}

bool group_take(const char *token, enum copy_kind kind, struct captured *out, struct error *error) {
    struct kept *at = find(token);
    captured_init(out);
    if (!at || at->kind != kind) {
        return fail(error, "GROUP_MIXED", "the others of this group took a different kind of copy; ask again with a new token");
    }
    if (!captured_copy(&at->captured, out)) {
        return fail(error, "NO_SPACE", "descriptors: %s", strerror(errno));
    }
    if (--at->left == 0) {
        captured_close(&at->captured);
    }
    return true;
}

bool group_keep(const char *token, enum copy_kind kind, unsigned others, const struct captured *captured) {
    for (struct kept *at = kept; others > 0 && at < kept + MAX_KEPT; at++) {
        if (at->left == 0 && captured_copy(captured, &at->captured)) {
            snprintf(at->token, sizeof at->token, "%s", token);
            at->kind = kind;
            at->left = others;
            at->until = now_us() + KEPT_US;
            return true;
        }
    }
    return others == 0;
}

void group_sweep(void) {
    for (struct kept *at = kept; at < kept + MAX_KEPT; at++) {
        if (at->left > 0 && now_us() > at->until) {
            captured_close(&at->captured);
            at->left = 0;
        }
    }
}
