/*
 * Heads of HTTP/1.x messages: bytes to structure, no I/O, no copies, no allocation.
 *
 * Called by http1 with everything that has arrived of a head. Slices are offsets from the head's first byte, so they stay true
 * when the head is moved to the request's arena. Strict by RFC 9112; the dialect names the few places where the Python face is
 * asked by Tornado's own tests to be more lenient.
 */
#ifndef TN_HTTP_PARSER_H
#define TN_HTTP_PARSER_H

#include "tornado/str.h"

typedef struct tn__slice {
    uint32_t at, n;
} tn__slice;

typedef struct tn__field {
    tn__slice name, value; /* value without the blanks around it */
} tn__field;

/* Methods that have a slot of their own; any other token is TN__METHOD_OTHER. */
typedef enum tn__method {
    TN__GET,
    TN__HEAD,
    TN__POST,
    TN__PUT,
    TN__PATCH,
    TN__DELETE,
    TN__OPTIONS,
    TN__METHOD_OTHER,
} tn__method;

/* Zeroed is the RFC's own. */
typedef struct tn__dialect {
    bool bare_lf;       /* a lone LF ends a line */
    bool fold;          /* folded lines are joined with one space (the bytes are changed in place) */
    bool equal_lengths; /* a list of equal Content-Lengths counts as one */
    bool any_target;    /* '#' and bytes from 0x80 up are let through in the request-target */
    bool chunked_1_0;   /* an HTTP/1.0 request may be chunked */
    bool terse;         /* what is refused gets a status line and no more; HTTP/1.0 is told `Keep-Alive`, or nothing */
} tn__dialect;

typedef struct tn__head_limits {
    uint32_t head_bytes_max;   /* 431 beyond */
    uint32_t target_bytes_max; /* 414 beyond */
    uint32_t fields_max;       /* 431 beyond; `fields` has room for as many */
} tn__head_limits;

/* Facts about the whole message, gathered while its fields go by. */
typedef struct tn__framing {
    int64_t content_length; /* -1: none */
    bool chunked;
    bool close;      /* Connection lists `close` */
    bool keep_alive; /* Connection lists `keep-alive` */
    bool upgrade;    /* Connection lists `upgrade` */
    bool expect_continue;
} tn__framing;

typedef struct tn__request_head {
    tn__field *fields; /* the caller's array */
    uint32_t n_fields;
    uint32_t bytes; /* the whole head, the blank line included */
    tn__slice method, target;
    tn__slice host;  /* authority: of an absolute-form target, else of the Host field; n is 0 when there is none */
    tn__slice path;  /* of the target, not decoded; "*" for asterisk-form; n is 0 for authority-form (CONNECT) */
    tn__slice query; /* behind the '?', which is not part of it; at is 0 when there is no '?' */
    tn__method method_id;
    uint8_t minor; /* HTTP/1.minor; above 1 counts as 1 */
    bool absolute; /* absolute-form */
    tn__framing framing;

    /* When refused: what to answer, and one clause for the log. */
    int status;
    const char *reason;
} tn__request_head;

enum { TN__HEAD_DONE, TN__HEAD_MORE, TN__HEAD_REFUSED };

/*
 * Parse the head of a request that begins at `p` (leading blank lines already skipped).
 *
 * resume: how far earlier calls on this head have looked; begins at 0. It makes a sender that drips cost linear time.
 *
 * DONE: `head` is complete and valid. MORE: it ends beyond `n` (and is still within the limits). REFUSED: head->status is 400, 414,
 * 417, 431, 501 or 505 and the connection must not be used for anything else afterwards.
 */
int tn__parse_request(char *p, size_t n, uint32_t *resume, const tn__dialect *dialect, const tn__head_limits *limits,
                      tn__request_head *head);

/* Field grammar, RFC 9110 section 5: also used on what applications set. */
bool tn__is_token(tn_str s);       /* 1*tchar */
bool tn__is_field_value(tn_str s); /* visible, blanks, obs-text; no controls but tab */

/* Host[:port] of RFC 9110, 4.2.3 and 7.2: reg-name, IPv4 or bracketed IPv6; port digits, at most 65535; not empty; no userinfo. */
bool tn__is_authority(tn_str s);

#endif
