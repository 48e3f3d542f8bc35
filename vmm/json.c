#include "json.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 32

struct cursor {
    const char *at, *end;
};

static void skip_space(struct cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r')) {
        c->at++;
    }
}

static bool take(struct cursor *c, char wanted) {
    skip_space(c);
    if (c->at < c->end && *c->at == wanted) {
        c->at++;
        return true;
    }
    return false;
}

static bool skip_word(struct cursor *c, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) {
        return false;
    }
    c->at += length;
    return true;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool skip_string(struct cursor *c) {
    if (!take(c, '"')) {
        return false;
    }
    while (c->at < c->end) {
        char ch = *c->at++;
        if (ch == '"') {
            return true;
        }
        if ((unsigned char)ch < 0x20) {
            return false;
        }
        if (ch != '\\') {
            continue;
        }
        if (c->at == c->end) {
            return false;
        }
        ch = *c->at++;
        if (ch == 'u') {
            for (int i = 0; i < 4; i++, c->at++) {
                if (c->at == c->end || hex_digit(*c->at) < 0) {
                    return false;
                }
            }
        } else if (ch == '\0' || !strchr("\"\\/bfnrt", ch)) {
            return false;
        }
    }
    return false;
}

static bool skip_digits(struct cursor *c) {
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > start;
}

static bool skip_number(struct cursor *c) {
    if (c->at < c->end && *c->at == '-') {
        c->at++;
    }
    if (!skip_digits(c)) {
        return false;
    }
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        if (!skip_digits(c)) {
            return false;
        }
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-')) {
            c->at++;
        }
        return skip_digits(c);
    }
    return true;
}

static bool skip_value(struct cursor *c, int depth);

static bool skip_list(struct cursor *c, int depth, char close, bool keyed) {
    c->at++;
    if (take(c, close)) {
        return true;
    }
    do {
        if (keyed && !(skip_string(c) && take(c, ':'))) {
            return false;
        }
        if (!skip_value(c, depth + 1)) {
            return false;
        }
    } while (take(c, ','));
    return take(c, close);
}

static bool skip_value(struct cursor *c, int depth) {
    skip_space(c);
    if (c->at == c->end || depth > MAX_DEPTH) {
        return false;
    }
    switch (*c->at) {
    case '{':
        return skip_list(c, depth, '}', true);
    case '[':
        return skip_list(c, depth, ']', false);
    case '"':
        return skip_string(c);
    case 't':
        return skip_word(c, "true");
    case 'f':
        return skip_word(c, "false");
    case 'n':
        return skip_word(c, "null");
    default:
        return skip_number(c);
    }
}

static bool next_value(struct cursor *c, struct json *value) {
    skip_space(c);
    const char *start = c->at;
    if (!skip_value(c, 0)) {
        return false;
    }
    *value = (struct json){start, (size_t)(c->at - start)};
    return true;
}

bool json_parse(const char *text, size_t length, struct json *value) {
    struct cursor c = {text, text + length};
    if (!next_value(&c, value)) {
        return false;
    }
    skip_space(&c);
    return c.at == c.end;
}

bool json_member(struct json object, const char *key, struct json *value) {
    struct cursor c = {object.text, object.text + object.length};
    if (!take(&c, '{')) {
        return false;
    }
    do {
        struct json name;
        if (!next_value(&c, &name) || !take(&c, ':') || !next_value(&c, value)) {
            return false;
        }
        if (name.length == strlen(key) + 2 && memcmp(name.text + 1, key, name.length - 2) == 0) {
            return true;
        }
    } while (take(&c, ','));
    return false;
}

bool json_element(struct json array, size_t index, struct json *value) {
    struct cursor c = {array.text, array.text + array.length};
    if (!take(&c, '[')) {
        return false;
    }
    do {
        if (!next_value(&c, value)) {
            return false;
        }
    } while (index-- > 0 && take(&c, ','));
    return index == (size_t)-1;
}

bool json_u64(struct json value, uint64_t *number) {
    uint64_t n = 0;
    if (value.length == 0) {
        return false;
    }
    for (size_t i = 0; i < value.length; i++) {
        unsigned digit = (unsigned)(value.text[i] - '0');
        if (digit > 9 || n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *number = n;
    return true;
}

bool json_true(struct json value) {
    return value.length == 4 && memcmp(value.text, "true", 4) == 0;
}

/* Puts a code point below U+10000 as UTF-8; halves of surrogate pairs become '?'. */
static size_t put_utf8(unsigned code, char out[3]) {
    if (code >= 0xd800 && code < 0xe000) {
        code = '?';
    }
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 63));
    out[2] = (char)(0x80 | (code & 63));
    return 3;
}

bool json_string(struct json value, char *out, size_t room) {
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (value.length < 2 || value.text[0] != '"') {
        return false;
    }
    size_t used = 0;
    for (size_t i = 1; i + 1 < value.length; i++) {
        char bytes[3] = {value.text[i]};
        size_t count = 1;
        if (bytes[0] == '\\') {
            char kind = value.text[++i];
            if (kind == 'u') {
                unsigned code = 0;
                for (int n = 0; n < 4; n++) {
                    code = code << 4 | (unsigned)hex_digit(value.text[++i]);
                }
                count = put_utf8(code, bytes);
            } else {
                bytes[0] = meant[strchr(plain, kind) - plain];
            }
        }
        if (bytes[0] == '\0' || used + count >= room) {
            return false;
        }
        memcpy(out + used, bytes, count);
        used += count;
    }
    if (used >= room) {
        return false;
    }
    out[used] = '\0';
    return true;
}

char *json_escape(const char *text, char *out, size_t room) {
    size_t used = 0;
    for (; *text; text++) {
        char piece[8];
        unsigned char ch = (unsigned char)*text;
        if (ch == '"' || ch == '\\') {
            snprintf(piece, sizeof piece, "\\%c", ch);
        } else if (ch < 0x20 || ch == 0x7f) {
            snprintf(piece, sizeof piece, "\\u%04x", ch);
        } else {
            snprintf(piece, sizeof piece, "%c", ch);
        }
        size_t length = strlen(piece);
        if (used + length >= room) {
            break;
        }
        memcpy(out + used, piece, length);
        used += length;
    }
    out[used] = '\0';
    return out;
}
