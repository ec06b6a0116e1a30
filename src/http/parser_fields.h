/*
 * The part of a head that requests and responses share: the field lines and what they say about the message. Included by the two
 * parsers only.
 */
#ifndef TN_HTTP_PARSER_FIELDS_H
#define TN_HTTP_PARSER_FIELDS_H

#include "http/parser.h"

/*
 * A walk through a head. Each step of it takes the place where it begins and returns the place where the next one begins; or NULL,
 * when the walk is over before the head is, and `outcome` says how.
 */
typedef struct tn__walk {
    char *head;      /* its first byte; only unfolding writes to it */
    const char *end; /* of what has arrived, or of what a head may have */
    const tn__dialect *dialect;
    int outcome;        /* TN__HEAD_MORE or TN__HEAD_REFUSED */
    int status;         /* once refused: what a server answers */
    const char *reason; /* once refused: a clause for the log */
} tn__walk;

/* What Transfer-Encoding fields have said so far, RFC 9112 section 6.1. */
typedef struct tn__codings {
    uint32_t chunked;  /* how often `chunked` was named */
    bool any;          /* there is such a field */
    bool other;        /* a coding that we do not know was named */
    bool malformed;    /* an empty element, or something that is no coding */
    bool chunked_last; /* `chunked` is the last one so far */
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

/* Nothing said yet. */
static inline tn__facts tn__no_facts(void)
{
    return (tn__facts){.framing = {.content_length = -1}};
}

/* The two ways in which a walk ends early. Both return NULL, which is false where a verdict is asked for. */
const char *tn__walk_more(tn__walk *w);
const char *tn__walk_refuse(tn__walk *w, int status, const char *reason);

/* Any end of a line but a plain CRLF. */
const char *tn__walk_odd_line_end(tn__walk *w, const char *p);

/* The end of a line: CRLF, or a lone LF where the dialect lets it through. */
static inline const char *tn__walk_line_end(tn__walk *w, const char *p)
{
    return w->end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? p + 2 : tn__walk_odd_line_end(w, p);
}

/* All field lines and the blank line. `fields` has room for `fields_max`. */
const char *tn__walk_fields(tn__walk *w, const char *p, tn__field *fields, uint32_t fields_max, uint32_t *n_fields,
                            tn__facts *facts);

/* Settle framing.chunked when all fields are known, RFC 9112 section 6.3. False: refused. */
bool tn__walk_judge_codings(tn__walk *w, tn__facts *facts, bool http10);

static inline tn__slice tn__walk_slice(const tn__walk *w, const char *p, const char *end)
{
    return (tn__slice){(uint32_t)(p - w->head), (uint32_t)(end - p)};
}

/* Is there a line without bytes between p and end? The LF of the line before it must lie there too. */
bool tn__has_blank_line(const char *p, const char *end);

#endif
