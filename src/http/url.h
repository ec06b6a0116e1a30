/*
 * URLs: percent coding, queries, and the parts of an absolute URL. RFC 3986; the coding of forms and queries is that of HTML.
 *
 * Used by the server for paths, queries and forms, and by the client. Everything takes time linear in its input, and slices point
 * into it wherever nothing had to be decoded.
 */
#ifndef TN_HTTP_URL_H
#define TN_HTTP_URL_H

#include "base/arena.h"
#include "base/buf.h"

/* Is this well-formed UTF-8? No overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629). */
bool tn__utf8_valid(tn_str s);

/*
 * Decode %XX, and '+' as a blank where `plus` says so. A '%' that no two digits follow stays as it is, as in Tornado.
 *
 * out: room for in.n bytes; may be where `in` is. Returns how many bytes were written.
 */
size_t tn__url_decode(char *out, tn_str in, bool plus);

/* The same into the arena; `in` itself when there is nothing to decode. Its `p` is NULL when there was no memory. */
tn_str tn__url_unescape(tn__arena *a, tn_str in, bool plus);

/*
 * Append `in` with all but letters, digits and "_.-~" encoded, as Tornado's url_escape: with `plus`, blanks become '+'; without it
 * they become %20 and '/' stays. TN_ENOMEM leaves `out` as it was.
 */
int tn__url_escape(tn_buf *out, tn_str in, bool plus);

/* The walk through "a=1&b=2"; made by tn__query_begin. */
typedef struct tn__query {
    tn_str rest;
    uint32_t left; /* how many more there may be */
} tn__query;

/* args_max: one more than this many is TN_ETOOBIG. */
tn__query tn__query_begin(tn_str text, uint32_t args_max);

/*
 * The next argument, decoded. Blank values are kept, an argument without '=' has a blank one, empty pieces are skipped. Bytes are
 * not checked: see tn__utf8_valid.
 *
 * Returns 1, or 0 at the end; TN_ETOOBIG, TN_ENOMEM.
 */
int tn__query_next(tn__query *q, tn__arena *a, tn_str *name, tn_str *value);

/*
 * "host:port" to its halves. The brackets of an IPv6 address stay part of the host; without brackets a host with more than one
 * colon is all host. `port` is -1 when there is none. TN_ESYNTAX for an empty host or a port that is no number up to 65535.
 */
int tn__split_host_and_port(tn_str text, tn_str *host, int *port);

/* The parts of an absolute URL, as they were written, nothing decoded. What is absent has a NULL `p`. */
typedef struct tn__url {
    tn_str scheme;   /* never absent */
    tn_str userinfo; /* before the '@' */
    tn_str host;     /* never empty; with the brackets of an IPv6 address */
    tn_str path;     /* empty, or begins with '/' */
    tn_str query;    /* behind the '?' */
    tn_str fragment; /* behind the '#' */
    int port;        /* -1: none given */
} tn__url;

/*
 * Split "scheme://authority/path?query#fragment". Strict: visible ASCII only, so that no part can carry a line end or a blank into
 * a message; an authority is required.
 *
 * Fails with TN_ESYNTAX and a clause in `reason`.
 */
int tn__url_parse(tn_str text, tn__url *url, const char **reason);

#endif
