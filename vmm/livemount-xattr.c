/* Extended attributes: those of the user name space, which mean nothing to the host. */
#include "livemount-message.h"
#include "livemount-server.h"
#include "livemount-session.h"

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

/* With no room the guest asks how much there is. */
static void reply_bytes(fuse_req_t request, int error, const char *bytes, ssize_t length, size_t room) {
    error = error ? error : room > 0 && (size_t)length > room ? ERANGE : 0;
    if (error) {
        fuse_reply_err(request, error);
    } else if (room == 0) {
        fuse_reply_xattr(request, (size_t)length);
    } else {
        fuse_reply_buf(request, bytes, (size_t)length);
    }
}

void live_getxattr(fuse_req_t request, fuse_ino_t id, const char *name, size_t room) {
    struct node *node = node_get(id);
    char path[40], *bytes = session_buffer();
    int error = !is_allowed(name) ? ENODATA : path_of(node, path);
    error = error == EPERM ? ENODATA : error ? error : !bytes ? ENOMEM : 0;
    ssize_t length = error ? 0 : getxattr(path, name, bytes, room ? LIVE_MAX_DATA : 0);
    reply_bytes(request, length < 0 ? errno : error, bytes, length, room);
    node_put(node);
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

void live_listxattr(fuse_req_t request, fuse_ino_t id, size_t room) {
    struct node *node = node_get(id);
    char path[40], *bytes = session_buffer();
    int error = !bytes ? ENOMEM : path_of(node, path);
    ssize_t length = error ? 0 : listxattr(path, bytes, LIVE_MAX_DATA);
    error = length < 0 ? errno : error == EPERM ? 0 : error;
    length = length > 0 ? (ssize_t)keep_allowed(bytes, (size_t)length) : 0;
    reply_bytes(request, error, bytes, length, room);
    node_put(node);
}

void live_setxattr(fuse_req_t request, fuse_ino_t id, const char *name, const char *value, size_t size, int flags) {
    struct node *node = node_get(id);
    char path[40];
    int error = !is_allowed(name) ? EOPNOTSUPP : path_of(node, path);
    fuse_reply_err(request, error ? error : setxattr(path, name, value, size, flags) == 0 ? 0 : errno);
    node_put(node);
}

void live_removexattr(fuse_req_t request, fuse_ino_t id, const char *name) {
    struct node *node = node_get(id);
    char path[40];
    int error = !is_allowed(name) ? ENODATA : path_of(node, path);
    fuse_reply_err(request, error ? error : removexattr(path, name) == 0 ? 0 : errno);
    node_put(node);
}
