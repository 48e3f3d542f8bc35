#include "unpack.h"

#include "make.h"
#include "place.h"
#include "reader.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void take(struct job *job, const struct member *member) {
    const char *name, *message = "out of memory";
    if (is_excluded(&job->options->excludes, member->path))
        return;
    char *path = strdup(member->path);
    int parent = path == NULL ? -1 : place_enter(job->place, path, &name, &message);
    if (parent < 0)
        report(member->path, message);
    else if (name != NULL)
        make_member(job, parent, name, member);
    else if (job->made_root && member->type == MEMBER_DIRECTORY)
        place_root_becomes(job->place, member, mode_of(job, member), job->options->owner);
    free(path);
}

/* As `mkdir -p`; whether the last one is new. */
static bool make_directories(const char *path, bool *made) {
    char *copy = strdup(path);
    if (copy == NULL)
        return false;
    for (char *at = copy + 1; *copy != '\0' && *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(copy, 0755);
        *at = '/';
    }
    *made = mkdir(copy, 0755) == 0;
    bool ok = *made || errno == EEXIST;
    free(copy);
    return ok;
}

static int open_target(const char *path, bool *made) {
    if (!make_directories(path, made))
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void read_members(struct job *job) {
    struct member member;
    while (!job->stopped) {
        enum reader_result result = reader_next(job->reader, &member);
        if (result == READER_CUT_OFF)
            report_stop("the archive", "cut off");
        if (result == READER_MALFORMED)
            report_stop("the archive", "damaged");
        /* Archives end with more zeros than one needs; a writer whose reader goes early takes it for a failure. */
        while (result == READER_END && reader_skip_piece(job->reader))
            continue;
        if (result != READER_MEMBER)
            return;
        take(job, &member);
        member_free(&member);
    }
}

int unpack(int fd, const struct unpack *options) {
    static struct reader reader;
    struct job job = {.options = options, .reader = &reader};
    struct rlimit files;
    reader.fd = fd;
    umask(0);
    /* Every level of the tree is an open directory. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (!reader_starts(&reader)) {
        report_stop("the archive", "cut off");
        return report_end();
    }
    int root = open_target(options->directory, &job.made_root);
    job.place = root < 0 ? NULL : place_new(root, options->through_links);
    if (job.place == NULL)
        report_stop(options->directory, strerror(errno));
    else {
        read_members(&job);
        place_free(job.place);
    }
    return report_end();
}
