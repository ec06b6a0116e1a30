/*
 * The chunked transfer coding, RFC 9112 section 7.1, as one state machine over bytes.
 *
 * Called by http1 and the client with whatever arrived. What a chunk holds is handed out where it lies; every other byte passes
 * through the one switch below, so where the input was cut can make no difference. Extensions and trailers are dropped, but only
 * after their grammar was checked: what two parsers read differently is what smuggles requests.
 */
#include "http/chunked.h"

#include "http/scan.h"

enum {
    SIZE,             /* digits of the size */
    BEFORE_SEMICOLON, /* blanks behind the size or behind an extension */
    BEFORE_EXT_NAME,  /* behind ';' */
    EXT_NAME,
    BEFORE_EQUALS, /* blanks behind an extension's name: '=' or ';' must follow */
    BEFORE_EXT_VALUE,
    EXT_TOKEN,
    EXT_QUOTED,
    EXT_ESCAPE, /* behind a backslash in a quoted string */
    EXT_QUOTED_END,
    SIZE_LF, /* behind the CR of a size line */
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START, /* at the beginning of a line of the trailer section */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    ENDED,
    FAILED,
};

enum { DIGITS_MAX = 16 };

void tn__chunked_init(tn__chunked *c)
{
    *c = (tn__chunked){.state = SIZE};
}

static const char *const bad_size = "invalid chunk size";
static const char *const bad_extension = "invalid chunk extension";
static const char *const bad_trailer = "invalid trailer line";
static const char *const bad_line_end = "line of a chunked body not ended by CRLF";

static bool is_blank(char b)
{
    return b == ' ' || b == '\t';
}

static unsigned hex_value(char b)
{
    return b <= '9' ? (unsigned)(b - '0') : (unsigned)((b | 0x20) - 'a' + 10);
}

/* Here a line may end: with a CR, behind which `lf_state` waits for the LF. No dialect takes an LF alone. */
static const char *end_line(tn__chunked *c, char b, int lf_state, const char *otherwise)
{
    if (b != '\r') return b == '\n' ? bad_line_end : otherwise;
    c->state = (uint8_t)lf_state;
    return NULL;
}

/* Behind the size and behind a whole extension. A blank is good only if another extension follows: chunk-ext, section 7.1.1. */
static const char *end_item(tn__chunked *c, char b, const char *otherwise)
{
    if (b == ';')
        c->state = BEFORE_EXT_NAME;
    else if (is_blank(b))
        c->state = BEFORE_SEMICOLON;
    else
        return end_line(c, b, SIZE_LF, otherwise);
    return NULL;
}

static const char *step_size(tn__chunked *c, char b)
{
    if (!tn__byte_is(b, TN__BYTE_HEX)) return c->digits ? end_item(c, b, bad_size) : bad_size;
    if (++c->digits > DIGITS_MAX) return bad_size;
    c->left = c->left << 4 | hex_value(b);
    return c->left > INT64_MAX ? bad_size : NULL;
}

/* Go on to `next`, when the byte is one that leads there. */
static const char *go(tn__chunked *c, bool good, int next, const char *otherwise)
{
    if (!good) return otherwise;
    c->state = (uint8_t)next;
    return NULL;
}

/* Take one byte that is not data. Returns NULL, or why the coding is malformed. */
static const char *step(tn__chunked *c, char b)
{
    bool token = tn__byte_is(b, TN__BYTE_TOKEN);
    bool text = tn__byte_is(b, TN__BYTE_VALUE);
    switch (c->state) {
    case SIZE: return step_size(c, b);
    case BEFORE_SEMICOLON: return is_blank(b) ? NULL : go(c, b == ';', BEFORE_EXT_NAME, bad_extension);
    case BEFORE_EXT_NAME: return is_blank(b) ? NULL : go(c, token, EXT_NAME, bad_extension);
    case EXT_NAME:
        if (token) return NULL;
        if (b == '=') return go(c, true, BEFORE_EXT_VALUE, NULL);
        return is_blank(b) ? go(c, true, BEFORE_EQUALS, NULL) : end_item(c, b, bad_extension);
    case BEFORE_EQUALS:
        if (is_blank(b)) return NULL;
        return b == '=' ? go(c, true, BEFORE_EXT_VALUE, NULL) : go(c, b == ';', BEFORE_EXT_NAME, bad_extension);
    case BEFORE_EXT_VALUE:
        if (is_blank(b)) return NULL;
        return b == '"' ? go(c, true, EXT_QUOTED, NULL) : go(c, token, EXT_TOKEN, bad_extension);
    case EXT_TOKEN: return token ? NULL : end_item(c, b, bad_extension);
    case EXT_QUOTED:
        if (b == '"') return go(c, true, EXT_QUOTED_END, NULL);
        return b == '\\' ? go(c, true, EXT_ESCAPE, NULL) : go(c, text, EXT_QUOTED, bad_extension);
    case EXT_ESCAPE: return go(c, text, EXT_QUOTED, bad_extension);
    case EXT_QUOTED_END: return end_item(c, b, bad_extension);
    case SIZE_LF:
        c->line = 0;
        c->digits = 0;
        return go(c, b == '\n', c->left ? DATA : TRAILER_START, bad_line_end);
    case DATA_CR: return end_line(c, b, DATA_LF, bad_line_end);
    case DATA_LF: c->line = 0; return go(c, b == '\n', SIZE, bad_line_end);
    case TRAILER_START: return token ? go(c, true, TRAILER_NAME, NULL) : end_line(c, b, LAST_LF, bad_trailer);
    case TRAILER_NAME: return token ? NULL : go(c, b == ':', TRAILER_VALUE, bad_trailer);
    case TRAILER_VALUE: return text ? NULL : end_line(c, b, TRAILER_LF, bad_trailer);
    case TRAILER_LF: return go(c, b == '\n', TRAILER_START, bad_line_end);
    case LAST_LF: return go(c, b == '\n', ENDED, bad_line_end);
    }
    return bad_size; /* FAILED: it stays malformed */
}

/* Is there room for one more byte of this line, or of this trailer section? */
static const char *count(tn__chunked *c)
{
    bool trailer = c->state >= TRAILER_START;
    if (++c->line <= (trailer ? (uint32_t)TN__TRAILER_BYTES_MAX : (uint32_t)TN__CHUNK_LINE_MAX)) return NULL;
    return trailer ? "trailers too long" : "chunk size line too long";
}

static tn_str take(tn_str *in, size_t n)
{
    tn_str taken = {in->p, n};
    in->p += n;
    in->n -= n;
    return taken;
}

int tn__chunked_next(tn__chunked *c, tn_str *in, tn_str *data, const char **reason)
{
    while (c->state != ENDED) {
        if (in->n == 0) return TN__CHUNK_MORE;
        if (c->state == DATA) {
            *data = take(in, c->left < in->n ? (size_t)c->left : in->n);
            c->left -= data->n;
            if (c->left == 0) c->state = DATA_CR;
            return TN__CHUNK_DATA;
        }
        const char *wrong = count(c);
        if (!wrong) wrong = step(c, take(in, 1).p[0]);
        if (wrong) {
            c->state = FAILED;
            *reason = wrong;
            return TN__CHUNK_BAD;
        }
    }
    return TN__CHUNK_END;
}
