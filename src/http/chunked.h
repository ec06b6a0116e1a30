/*
 * The chunked transfer coding, RFC 9112 section 7.1: a decoder that is given bytes as they come, in any slicing, and hands out the
 * data in place. Extensions and trailers are parsed by their grammar, bounded, and dropped.
 */
#ifndef TN_HTTP_CHUNKED_H
#define TN_HTTP_CHUNKED_H

#include "tornado/str.h"

enum {
    TN__CHUNK_LINE_MAX = 256,     /* a chunk's size line with its extensions */
    TN__TRAILER_BYTES_MAX = 8192, /* the trailer section */
};

typedef struct tn__chunked {
    uint64_t left; /* bytes of the present chunk still to come */
    uint32_t line; /* bytes of the present line or trailer section so far */
    uint8_t state;
    uint8_t digits;
} tn__chunked;

enum { TN__CHUNK_MORE, TN__CHUNK_DATA, TN__CHUNK_END, TN__CHUNK_BAD };

void tn__chunked_init(tn__chunked *c);

/*
 * Advance over `in`, which is shortened by what was used. MORE: all of it was used. DATA: `data` is a piece of the body, inside
 * what was used; call again with the rest. END: the coding is complete and `in` holds what follows it. BAD: malformed, with a
 * clause in `reason`.
 */
int tn__chunked_next(tn__chunked *c, tn_str *in, tn_str *data, const char **reason);

#endif
