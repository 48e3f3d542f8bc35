/* Extended attributes: those of the user name space, which mean nothing to the host. */
#include "livemount-server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PREFIX "user."

static bool is_allowed(const char *name) {
    return strncmp(name, PREFIX, sizeof PREFIX - 1) == 0 && strlen(name) <= XATTR_NAME_MAX;
}

/* A path that leads to the node's file, for calls that take no O_PATH descriptor. Symbolic links and special files
 * have no attributes of users. */
static int path_of(struct node *node, char path[40]) {
    int fd, error = node ? node_open(node, &fd) : ENOENT;
    if (!error && node_type(node) != S_IFREG && node_type(node) != S_IFDIR) {
        return EPERM;
    }
    snprintf(path, 40, "/proc/self/fd/%d", error ? -1 : fd);
    return error;
}

/* With size 0 the guest asks how much there is. */
static int answer_bytes(ssize_t length, uint32_t room, struct answer *answer) {
    struct fuse_getxattr_out *out = (struct fuse_getxattr_out *)answer->bytes;
    if (length < 0) {
        return errno;
    }
    if (room == 0) {
        *out = (struct fuse_getxattr_out){.size = (uint32_t)length};
        answer->length = sizeof *out;
        return 0;
    }
    answer->length = (size_t)length;
    return (size_t)length > room ? ERANGE : 0;
}

int live_getxattr(const struct request *request, struct answer *answer) {
    const struct fuse_getxattr_in *in = request->arguments;
    char path[40];
    if (!is_allowed(request->names[0])) {
        return ENODATA;
    }
    struct node *node = node_get(request->header.nodeid);
    int error = path_of(node, path);
    error = error == EPERM ? ENODATA : error;
    if (!error) {
        error = answer_bytes(getxattr(path, request->names[0], answer->bytes, in->size ? LIVE_MAX_DATA : 0), in->size, answer);
    }
    node_put(node);
    return error;
}

/* Only what could be read by name. */
static size_t keep_allowed(char *names, size_t length) {
    size_t kept = 0;
    for (size_t at = 0; at < length;) {
        size_t size = strnlen(names + at, length - at) + 1;
        if (at + size <= length && is_allowed(names + at)) {
            memmove(names + kept, names + at, size);
            kept += size;
        }
        at += size;
    }
    return kept;
}

int live_listxattr(const struct request *request, struct answer *answer) {
    const struct fuse_getxattr_in *in = request->arguments;
    struct node *node = node_get(request->header.nodeid);
    char path[40];
    int error = path_of(node, path);
    ssize_t length = 0;
    if (!error && (length = listxattr(path, (char *)answer->bytes, LIVE_MAX_DATA)) > 0) {
        length = (ssize_t)keep_allowed((char *)answer->bytes, (size_t)length);
    }
    error = error == EPERM ? 0 : error;
    error = error ? error : answer_bytes(length, in->size, answer);
    node_put(node);
    return error;
}

int live_setxattr(const struct request *request, struct answer *answer) {
    uint32_t in[2]; /* size and flags: the short form of struct fuse_setxattr_in */
    char path[40];
    (void)answer;
    memcpy(in, request->arguments, sizeof in);
    if (in[0] > request->data_length) {
        return EINVAL;
    }
    if (!is_allowed(request->names[0])) {
        return EOPNOTSUPP;
    }
    struct node *node = node_get(request->header.nodeid);
    int error = path_of(node, path);
    if (!error) {
        error = setxattr(path, request->names[0], request->data, in[0], (int)in[1]) == 0 ? 0 : errno;
    }
    node_put(node);
    return error;
}

int live_removexattr(const struct request *request, struct answer *answer) {
    struct node *node = node_get(request->header.nodeid);
    char path[40];
    (void)answer;
    int error = !is_allowed(request->names[0]) ? ENODATA : path_of(node, path);
    if (!error) {
        error = removexattr(path, request->names[0]) == 0 ? 0 : errno;
    }
    node_put(node);
    return error;
}
