#include "key.h"

#include <stdio.h>
#include <string.h>

bool key_parse(const char *text, uint8_t key[LINK_KEY_BYTES]) {
    if (strspn(text, "0123456789abcdefABCDEF") != 2 * LINK_KEY_BYTES)
        return false;
    for (unsigned i = 0; i < LINK_KEY_BYTES; i++)
        if (sscanf(text + 2 * i, "%2hhx", &key[i]) != 1)
            return false;
    return text[2 * LINK_KEY_BYTES] == '\0' || strchr(" \n\t", text[2 * LINK_KEY_BYTES]) != NULL;
}

bool key_read(uint8_t key[LINK_KEY_BYTES]) {
    static const char name[] = "machinen.key=";
    char line[4096] = "";
    FILE *file = fopen("/proc/cmdline", "re");
    if (file == NULL)
        return false;
    const char *at = fgets(line, sizeof line, file) == NULL ? NULL : strstr(line, name);
    fclose(file);
    return at != NULL && key_parse(at + sizeof name - 1, key);
}
