/* A shell that looks at its command, or at the time, before anything else: it cannot be started before it has one. */
#include <time.h>
#include <unistd.h>

static char *const busybox[] = {"/bin/busybox", "/bin/sh.real", NULL};

int main(int count, char **arguments) {
#ifdef LOOKS_AT_TIME
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    volatile time_t seen = now.tv_sec;
#else
    volatile char seen = count > 2 ? arguments[2][0] : '\0';
#endif
    (void)seen, (void)count;
    arguments[0] = "sh";
    for (unsigned i = 0; busybox[i] != NULL; i++)
        execv(busybox[i], arguments);
    return 127;
}
