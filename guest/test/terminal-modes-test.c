/* Records in, each a length (u32, this machine's order) and that many bytes of a terminal's output; for
 * each, in the same form, what restores the modes it leaves. Fed whole and in random pieces, from
 * memory without room around it, the result must be one. */
#include "terminal-modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void feed(struct terminal_modes *modes, const uint8_t *bytes, size_t length) {
    uint8_t *exact = malloc(length ? length : 1);
    memcpy(exact, bytes, length);
    terminal_modes_feed(modes, exact, length);
    free(exact);
}

static size_t modes_after(const uint8_t *bytes, size_t length, bool in_pieces, char *text) {
    struct terminal_modes modes;
    struct text_out out = {.bytes = text, .size = MODES_TEXT_BYTES};
    terminal_modes_init(&modes, 80);
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = in_pieces ? 1 + (size_t)rand() % 7 : length;
        if (piece > length - at)
            piece = length - at;
        feed(&modes, bytes + at, piece);
    }
    terminal_modes_write(&modes, &out);
    return out.length;
}

int main(void) {
    uint32_t length;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        static char whole[MODES_TEXT_BYTES], pieces[MODES_TEXT_BYTES];
        uint8_t *bytes = malloc(length ? length : 1);
        if (bytes == NULL || fread(bytes, 1, length, stdin) != length)
            return 2;
        uint32_t written = (uint32_t)modes_after(bytes, length, false, whole);
        if (modes_after(bytes, length, true, pieces) != written || memcmp(whole, pieces, written) != 0) {
            fprintf(stderr, "pieces make a difference\n");
            return 1;
        }
        fwrite(&written, sizeof written, 1, stdout);
        fwrite(whole, 1, written, stdout);
        free(bytes);
    }
    return 0;
}
