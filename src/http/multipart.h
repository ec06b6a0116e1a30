/*
 * multipart/form-data over a complete body: RFC 7578 and RFC 2046, strict. Used for forms with files.
 *
 * The parser walks from part to part; the bodies of the parts are slices of the whole, and so are names, but for those with escapes.
 * Nothing is trusted before the walk has ended well: the first defect refuses the body, with one clause for one log line.
 */
#ifndef TN_HTTP_MULTIPART_H
#define TN_HTTP_MULTIPART_H

#include "base/arena.h"

/* Limits that a peer meets; zero means the default. And a leniency that the Python face is asked for by Tornado's own tests. */
typedef struct tn__multipart_limits {
    uint32_t parts_max;           /* default 100 */
    uint32_t part_head_bytes_max; /* default 10 KiB */
    bool open_start;              /* a body without a boundary at its beginning begins with a part */
} tn__multipart_limits;

typedef struct tn__multipart {
    tn_str rest;      /* begins behind a delimiter */
    tn_str delimiter; /* CRLF, "--", boundary; in the arena */
    tn__multipart_limits limits;
    uint32_t parts; /* so far */
    bool open;      /* no boundary stands before the next part */
} tn__multipart;

typedef struct tn__part {
    tn_str name;         /* valid UTF-8, never empty */
    tn_str filename;     /* valid UTF-8; its `p` is NULL when there is none */
    tn_str content_type; /* "application/unknown" when the part has none */
    tn_str body;
} tn__part;

/* Is this Content-Type multipart/form-data, whatever follows? */
bool tn__is_multipart(tn_str content_type);

/*
 * Begin a walk through `body`, which must outlive what the walk gives out.
 *
 * content_type: the whole field value with the boundary.
 *
 * TN_ESYNTAX with a clause in `reason` for a missing or malformed boundary, or a body that does not begin with it; TN_ENOMEM.
 */
int tn__multipart_begin(tn__multipart *m, tn__arena *a, tn_str content_type, tn_str body, const tn__multipart_limits *limits,
                        const char **reason);

/*
 * The same with the boundary itself: without quotes, of any length, and of any bytes that a field value can hold. It is for callers
 * that have taken it out of the field by themselves.
 */
int tn__multipart_begin_at(tn__multipart *m, tn__arena *a, tn_str boundary, tn_str body, const tn__multipart_limits *limits,
                           const char **reason);

/*
 * The next part. Returns 1, or 0 behind the last one, which must be followed by the final boundary; what lies behind that is ignored.
 *
 * TN_ESYNTAX or TN_ETOOBIG with a clause in `reason`; TN_ENOMEM. After a failure the walk is over.
 */
int tn__multipart_next(tn__multipart *m, tn__arena *a, tn__part *part, const char **reason);

#endif
