#include "livemount-message.h"

#include <string.h>

bool message_cut(struct request *request, const struct live_shape *shape) {
    const uint8_t *at = request->body;
    size_t left = request->body_length;
    if (left < shape->fixed) {
        return false;
    }
    request->arguments = at;
    at += shape->fixed;
    left -= shape->fixed;
    for (unsigned i = 0; i < shape->names; i++) {
        const uint8_t *end = memchr(at, '\0', left);
        if (!end) {
            return false;
        }
        request->names[i] = (const char *)at;
        left -= (size_t)(end + 1 - at);
        at = end + 1;
    }
    request->data = at;
    request->data_length = left;
    return shape->data || left == 0;
}

bool message_is_entry_name(const char *name) {
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}
