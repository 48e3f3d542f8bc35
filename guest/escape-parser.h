/* What a terminal takes for one escape sequence, ended or broken off as a terminal does. Total: any
 * bytes will do. Bounded: what is too long is cut. */
#ifndef MACHINEN_ESCAPE_PARSER_H
#define MACHINEN_ESCAPE_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_PARAMETERS = 32, MOST_PARAMETER = 65535, MOST_STRING = 256 };

struct escape {
    enum { ESCAPE_PLAIN, ESCAPE_CSI, ESCAPE_OSC } kind;
    /* Plain and CSI: `<=>?` or 0, what stands before the final byte (two at most), the final byte. */
    char prefix, intermediates[2], final;
    unsigned intermediate_count;
    /* CSI: numbers as they stand, 0 for those left out; `sub` when a colon came before it. */
    unsigned parameters[MOST_PARAMETERS];
    bool sub[MOST_PARAMETERS];
    unsigned parameter_count; /* at least 1 */
    /* OSC: its beginning. */
    char string[MOST_STRING];
    size_t string_length;
};

struct escape_reader {
    void (*control)(void *owner, uint8_t byte); /* a control character inside a sequence */
    void (*sequence)(void *owner, const struct escape *escape);
    void *owner;
};

struct escape_parser {
    enum {
        AT_TEXT,
        AT_ESCAPE,
        AT_CSI_START,
        AT_CSI,
        AT_CSI_END,
        AT_IGNORED_CSI,
        AT_OSC,
        AT_IGNORED_STRING,
    } state;
    bool after_c2; /* the first byte of a C1 control in UTF-8 */
    bool too_many; /* parameters */
    struct escape escape;
};

/* All zeros is a parser at rest. Takes at least a byte, and goes on to the end of a sequence or of the
 * bytes. At rest the first byte must be ESC, or 0xc2, which may begin a C1 control in UTF-8; only then
 * nothing may be taken. */
size_t escape_take(struct escape_parser *parser, const uint8_t *bytes, size_t length,
                   const struct escape_reader *reader);
/* Not in the middle of a sequence. */
bool escape_at_rest(const struct escape_parser *parser);

#endif
