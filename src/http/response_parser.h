/*
 * Heads of HTTP/1.x responses, for the client: the twin of parser.h, with the same limits and the same dialect. What differs is who
 * reads: a client need not answer what it refuses, and how long the body is depends on the request as well.
 */
#ifndef TN_HTTP_RESPONSE_PARSER_H
#define TN_HTTP_RESPONSE_PARSER_H

#include "http/parser.h"

/* Where the body ends, RFC 9112 section 6.3. */
typedef enum tn__body {
    TN__BODY_NONE,        /* there is none, whatever the fields say */
    TN__BODY_LENGTH,      /* behind framing.content_length bytes */
    TN__BODY_CHUNKED,     /* with the chunked coding */
    TN__BODY_UNTIL_CLOSE, /* with the connection */
} tn__body;

typedef struct tn__response_head {
    tn__field *fields; /* the caller's array */
    uint32_t n_fields;
    uint32_t bytes;   /* the whole head, the blank line included */
    tn__slice phrase; /* the reason phrase; often empty */
    int status;       /* 100 to 999; the client takes what it does not know by its first digit */
    uint8_t minor;    /* HTTP/1.minor; above 1 counts as 1 */
    tn__body body;
    tn__framing framing;
    const char *reason; /* when refused: one clause */
} tn__response_head;

/* The request that this is the response to, as far as it decides about the body. */
typedef enum tn__answered {
    TN__ANSWERED_OTHER,
    TN__ANSWERED_HEAD,
    TN__ANSWERED_CONNECT,
} tn__answered;

/*
 * Parse the head of a response that begins at `p`. `resume` as for tn__parse_request; limits->target_bytes_max means nothing here.
 * Returns TN__HEAD_DONE, TN__HEAD_MORE or TN__HEAD_REFUSED; after the last of these the connection is of no use any more.
 */
int tn__parse_response(char *p, size_t n, uint32_t *resume, const tn__dialect *dialect, const tn__head_limits *limits,
                       tn__answered answered, tn__response_head *head);

#endif
