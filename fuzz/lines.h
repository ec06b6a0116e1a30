/* For targets whose input is several fields: they are its lines. Included by the targets for cookies, ranges and forms. */
#ifndef TN_FUZZ_LINES_H
#define TN_FUZZ_LINES_H

#include "fuzz.h"

/* Take the first line off the front of `rest`, without its end. */
static inline tn_str fuzz_line(tn_str *rest)
{
    const char *end = rest->n ? (const char *)memchr(rest->p, '\n', rest->n) : NULL;
    tn_str line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
    size_t used = line.n + (end != NULL);
    if (used) *rest = tn_str_of(rest->p + used, rest->n - used);
    return line;
}

#endif
