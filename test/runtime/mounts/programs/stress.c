/*
 * Several processes change one tree at once, in the manner of fsstress: `stress <directory> <processes> <rounds>`.
 * Each keeps files of its own, which must be right at the end, and quarrels with the others about shared ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_expected(int error) {
    return error == ENOENT || error == EEXIST || error == ENOTEMPTY || error == ENOTDIR || error == EISDIR || error == ESTALE ||
           error == EINVAL;
}

static int quarrel(unsigned round) {
    static const char *const names[] = {"a", "b", "c", "d/a", "d/b", "e/a"};
    const char *one = names[random() % 6], *two = names[random() % 6];
    int result = 0;
    switch (round % 8) {
    case 0: result = open(one, O_WRONLY | O_CREAT | O_TRUNC, 0644); break;
    case 1: result = rename(one, two); break;
    case 2: result = link(one, two); break;
    case 3: result = unlink(one); break;
    case 4: result = mkdir(random() % 2 ? "d" : "e", 0755); break;
    case 5: result = rmdir(random() % 2 ? "d" : "e"); break;
    case 6: result = symlink(one, two); break;
    default: result = rename("d", "e"); break;
    }
    int error = errno;
    if (result > 2)
        close(result);
    return result >= 0 || is_expected(error) || error == ELOOP ? 0 : error;
}

static int keep(unsigned who, unsigned round) {
    char name[64], other[64], text[64];
    int length = snprintf(text, sizeof text, "%u of %u", round, who);
    snprintf(name, sizeof name, "own-%u-%u", who, round);
    snprintf(other, sizeof other, "kept-%u-%u", who, round);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    int ok = fd >= 0 && write(fd, text, (size_t)length) == length && close(fd) == 0 && rename(name, other) == 0;
    return ok ? 0 : errno;
}

static int work(unsigned who, unsigned rounds) {
    srandom(who + 1);
    for (unsigned round = 0; round < rounds; round++) {
        int error = quarrel((unsigned)random());
        error = error ? error : round % 8 == 0 ? keep(who, round) : 0;
        if (error) {
            printf("process %u, round %u: %s\n", who, round, strerror(error));
            return 1;
        }
    }
    return 0;
}

static int verify(unsigned who, unsigned rounds) {
    for (unsigned round = 0; round < rounds; round += 8) {
        char name[64], text[64], found[64] = "";
        snprintf(name, sizeof name, "kept-%u-%u", who, round);
        snprintf(text, sizeof text, "%u of %u", round, who);
        int fd = open(name, O_RDONLY);
        if (fd < 0 || read(fd, found, sizeof found - 1) < 0 || strcmp(found, text) != 0) {
            printf("%s: '%s'\n", name, found);
            return 1;
        }
        close(fd);
    }
    return 0;
}

int main(int argc, char **argv) {
    int status, failed = 0;
    if (argc != 4 || chdir(argv[1]) != 0)
        return 2;
    unsigned processes = (unsigned)atoi(argv[2]), rounds = (unsigned)atoi(argv[3]);
    setvbuf(stdout, NULL, _IONBF, 0);
    for (unsigned i = 0; i < processes; i++)
        if (fork() == 0)
            _exit(work(i, rounds));
    while (wait(&status) > 0)
        failed += status != 0;
    for (unsigned i = 0; i < processes; i++)
        failed += verify(i, rounds);
    return failed;
}
