#include "escape-parser.h"

enum { BEL = 0x07, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f, C2 = 0xc2 };

static void clear(struct escape *escape) {
    escape->prefix = 0;
    escape->intermediate_count = 0;
    escape->parameter_count = 1;
    escape->parameters[0] = 0;
    escape->sub[0] = false;
    escape->string_length = 0;
}

static void finish(struct escape_parser *parser, int kind, char final, const struct escape_reader *reader) {
    parser->state = AT_TEXT;
    parser->escape.kind = kind;
    parser->escape.final = final;
    reader->sequence(reader->owner, &parser->escape);
}

/* More than two is no sequence anybody knows; the count goes on to say so. */
static void collect(struct escape *escape, uint8_t byte) {
    if (escape->intermediate_count < 2)
        escape->intermediates[escape->intermediate_count] = (char)byte;
    if (escape->intermediate_count < 3)
        escape->intermediate_count++;
}

static void parameter(struct escape_parser *parser, uint8_t byte) {
    struct escape *escape = &parser->escape;
    if (byte == ';' || byte == ':') {
        parser->too_many = parser->too_many || escape->parameter_count == MOST_PARAMETERS;
        if (parser->too_many)
            return;
        escape->parameters[escape->parameter_count] = 0;
        escape->sub[escape->parameter_count++] = byte == ':';
    } else if (!parser->too_many) {
        unsigned *last = &escape->parameters[escape->parameter_count - 1];
        *last = *last * 10 + (byte - '0');
        if (*last > MOST_PARAMETER)
            *last = MOST_PARAMETER;
    }
}

/* Behind ESC, or as a C1 control; false for what leads nowhere special. */
static bool introduce(struct escape_parser *parser, uint8_t byte) {
    clear(&parser->escape);
    parser->too_many = false;
    if (byte == '[')
        parser->state = AT_CSI_START;
    else if (byte == ']')
        parser->state = AT_OSC;
    else if (byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
        parser->state = AT_IGNORED_STRING;
    else
        return false;
    return true;
}

static void take_escape(struct escape_parser *parser, uint8_t byte, const struct escape_reader *reader) {
    if (byte >= 0x20 && byte < 0x30)
        collect(&parser->escape, byte);
    else if (parser->escape.intermediate_count == 0 && introduce(parser, byte))
        return;
    else if (byte >= 0x30 && byte < DEL)
        finish(parser, ESCAPE_PLAIN, (char)byte, reader);
    else
        parser->state = AT_TEXT;
}

static void take_csi(struct escape_parser *parser, uint8_t byte, const struct escape_reader *reader) {
    if (byte >= 0x40 && byte < DEL) {
        if (parser->state == AT_IGNORED_CSI)
            parser->state = AT_TEXT;
        else
            finish(parser, ESCAPE_CSI, (char)byte, reader);
    } else if (parser->state == AT_IGNORED_CSI) {
        return;
    } else if (byte >= 0x80) {
        parser->state = AT_TEXT;
    } else if (byte < 0x30) {
        collect(&parser->escape, byte);
        parser->state = AT_CSI_END;
    } else if (byte < 0x3c && parser->state != AT_CSI_END) {
        parameter(parser, byte);
        parser->state = AT_CSI;
    } else if (parser->state == AT_CSI_START) {
        parser->escape.prefix = (char)byte;
        parser->state = AT_CSI;
    } else {
        parser->state = AT_IGNORED_CSI;
    }
}

static void take_osc(struct escape_parser *parser, uint8_t byte, const struct escape_reader *reader) {
    struct escape *escape = &parser->escape;
    if (byte == BEL)
        finish(parser, ESCAPE_OSC, 0, reader);
    else if (byte >= 0x20 && escape->string_length < MOST_STRING)
        escape->string[escape->string_length++] = (char)byte;
}

/* Ends whatever was under way, as a terminal does. */
static void begin(struct escape_parser *parser, uint8_t byte, const struct escape_reader *reader) {
    if (parser->state == AT_OSC && (byte == ESC || byte == '\\'))
        finish(parser, ESCAPE_OSC, 0, reader);
    clear(&parser->escape);
    parser->state = byte == ESC ? AT_ESCAPE : AT_TEXT;
}

static void c1_control(struct escape_parser *parser, uint8_t byte, const struct escape_reader *reader) {
    uint8_t letter = byte - 0x40;
    begin(parser, letter, reader);
    if (letter != '\\' && !introduce(parser, letter))
        finish(parser, ESCAPE_PLAIN, (char)letter, reader);
}

static void take(struct escape_parser *parser, uint8_t byte, const struct escape_reader *reader) {
    bool after_c2 = parser->after_c2;
    parser->after_c2 = byte == C2;
    if (after_c2 && byte >= 0x80 && byte < 0xa0) {
        c1_control(parser, byte, reader);
    } else if (byte == ESC || byte == CAN || byte == SUB) {
        begin(parser, byte, reader);
    } else if (parser->state == AT_OSC) {
        take_osc(parser, byte, reader);
    } else if (parser->state != AT_IGNORED_STRING && parser->state != AT_TEXT) {
        if (byte < 0x20) /* done at once, in the middle of the sequence */
            reader->control(reader->owner, byte);
        else if (byte == DEL)
            return;
        else if (parser->state == AT_ESCAPE)
            take_escape(parser, byte, reader);
        else
            take_csi(parser, byte, reader);
    }
}

/* Numbers, which most sequences mostly are. */
static size_t take_parameters(struct escape_parser *parser, const uint8_t *bytes, size_t length) {
    size_t at = 0;
    while (at < length && bytes[at] >= '0' && bytes[at] < 0x3c)
        parameter(parser, bytes[at++]);
    if (at > 0)
        parser->state = AT_CSI;
    return at;
}

size_t escape_take(struct escape_parser *parser, const uint8_t *bytes, size_t length,
                   const struct escape_reader *reader) {
    size_t at = 0;
    do {
        size_t taken = 0;
        if (parser->state == AT_TEXT && parser->after_c2 && (bytes[at] < 0x80 || bytes[at] >= 0xa0)) {
            parser->after_c2 = false; /* a letter of the text */
            return at;
        }
        if (parser->state == AT_CSI_START || parser->state == AT_CSI)
            taken = take_parameters(parser, bytes + at, length - at);
        if (taken == 0)
            take(parser, bytes[at++], reader);
        at += taken;
    } while (at < length && !escape_at_rest(parser));
    return at;
}

bool escape_at_rest(const struct escape_parser *parser) {
    return parser->state == AT_TEXT && !parser->after_c2;
}
