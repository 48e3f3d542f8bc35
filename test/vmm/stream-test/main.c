/* Each case is one seed. Usage: stream-test <case> <seed>; says "ok", or aborts with a message. */
#include "cases.h"
#include "ends.h"

#include <string.h>

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"transfer", case_transfer},
        {"polite", case_polite}, {"guest-opens", case_guest_opens},
        {"flow-control", case_flow_control}, {"half-close", case_half_close},
        {"reset", case_reset}, {"many", case_many}, {"fair", case_fair},
        {"restart", case_restart}, {"broken", case_broken}, {"deaf", case_deaf},
        {"fuzz", case_fuzz}, {"flood", case_flood},
    };
    CHECK(argc == 3);
    random_state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(argv[1], cases[i].name) != 0)
            continue;
        start();
        cases[i].run();
        link_free(host.link);
        link_free(guest.link);
        puts("ok");
        return 0;
    }
    fprintf(stderr, "no such case\n");
    return 2;
}
