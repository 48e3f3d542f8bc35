#include "once.h"

#include <string.h>

/* A client asks again within seconds: far fewer commands than this are started meanwhile. */
enum { REMEMBERED = 256 };

static char seen[REMEMBERED][ONCE_ID_BYTES + 1];
static unsigned next_place;

bool once_id_is_valid(const char *id) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t length = strlen(id);
    return length >= 1 && length <= ONCE_ID_BYTES && strspn(id, allowed) == length;
}

bool once(const char *id) {
    for (unsigned i = 0; i < REMEMBERED; i++)
        if (strcmp(seen[i], id) == 0)
            return false;
    strcpy(seen[next_place], id);
    next_place = (next_place + 1) % REMEMBERED;
    return true;
}
