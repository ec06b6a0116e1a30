/*
 * The part of a head that requests and responses share: the field lines and what they say about the message. Included by the two
 * parsers only.
 */
#ifndef TN_HTTP_PARSER_FIELDS_H
#define TN_HTTP_PARSER_FIELDS_H

#include "http/parser.h"

/* Where the walk through a head stands. */
typedef struct tn__walk {
    char *head;      /* its first byte; only unfolding writes to it */
    const char *at;  /* the next byte to read */
    const char *end; /* of what has arrived, or of what a head may have */
    const tn__dialect *dialect;
    int status;         /* once refused: what a server answers */
    const char *reason; /* once refused: a clause for the log */
} tn__walk;

/* What Transfer-Encoding fields have said so far, RFC 9112 section 6.1. */
typedef struct tn__codings {
    uint32_t chunked; /* how often `chunked` was named */
    bool any;         /* there is such a field */
    bool other;       /* a coding that we do not know was named */
    bool malformed;   /* an empty element, or something that is no coding */
    bool chunked_last;
} tn__codings;

/* What the field lines say, as they say it; each parser judges by its own rules. */
typedef struct tn__facts {
    tn__framing framing; /* all but `chunked` and `expect_continue` */
    tn__codings codings;
    tn__slice host;    /* of the last Host field */
    uint32_t hosts;    /* how many there were */
    bool expect;       /* there was an Expect field */
    bool expect_other; /* ... and not for 100-continue */
} tn__facts;

/*
 * All of these return TN__HEAD_DONE to go on, TN__HEAD_MORE at the end of what has arrived, or TN__HEAD_REFUSED with status and
 * reason set.
 */

/* The end of a line: CRLF, or a lone LF where the dialect lets it through. */
int tn__walk_line_end(tn__walk *w);

/* All field lines and the blank line. `fields` has room for `fields_max`. */
int tn__walk_fields(tn__walk *w, tn__field *fields, uint32_t fields_max, uint32_t *n_fields, tn__facts *facts);

/* Settle framing.chunked, by RFC 9112 section 6.3. */
int tn__walk_codings(tn__walk *w, tn__facts *facts, bool http10);

/* Refuse. */
int tn__walk_refuse(tn__walk *w, int status, const char *reason);

static inline tn__slice tn__walk_slice(const tn__walk *w, const char *p, const char *end)
{
    return (tn__slice){(uint32_t)(p - w->head), (uint32_t)(end - p)};
}

/* Is there a line without bytes in what lies between p and end, the LF of the line before it included? */
bool tn__has_blank_line(const char *p, const char *end);

#endif
