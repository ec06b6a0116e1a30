/*
 * A collection of header fields for messages that we send: ordered, several per name, held in an arena. Names keep the spelling
 * they were set with and compare without case. Values are validated here and nowhere else, so nothing can split a response.
 */
#ifndef TN_HTTP_HEADERS_H
#define TN_HTTP_HEADERS_H

#include "base/arena.h"
#include "base/buf.h"

typedef struct tn__header {
    tn_str name, value;
} tn__header;

typedef struct tn__headers {
    tn__header *items;
    uint32_t n, cap;
    size_t bytes; /* as they go on the wire: name, ": ", value, CRLF each */
} tn__headers;

/* All copy their text. TN_EINVAL for a bad name or value, TN_ENOMEM; the collection is as it was then. */
int tn__headers_add(tn__headers *h, tn__arena *a, tn_str name, tn_str value);
int tn__headers_set(tn__headers *h, tn__arena *a, tn_str name, tn_str value); /* replaces every field of that name */
void tn__headers_remove(tn__headers *h, tn_str name);

/* The first field of that name; its `p` is NULL when there is none. */
tn_str tn__headers_get(const tn__headers *h, tn_str name);

/* Write all of them; `out` has room for h->bytes. Returns the end. */
char *tn__headers_write(const tn__headers *h, char *out);

#endif
