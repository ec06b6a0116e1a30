/*
 * Conditional requests and ranges: RFC 9110, sections 13 and 14. Pure functions over field values; a field that is absent is a
 * tn_str whose `p` is NULL.
 */
#ifndef TN_HTTP_RANGE_H
#define TN_HTTP_RANGE_H

#include "tornado/str.h"

/*
 * Does the list of an If-Match or If-None-Match field name this entity-tag? "*" names every one. A list is read up to its first
 * defect.
 *
 * etag: with its quotes, and W/ when it is weak. weak: compare weakly, as If-None-Match does; else a weak one equals none.
 */
bool tn__etag_listed(tn_str field, tn_str etag, bool weak);

typedef struct tn__conditions {
    tn_str if_match, if_none_match, if_modified_since, if_unmodified_since;
} tn__conditions;

/* What the request's conditions are held against. */
typedef struct tn__validators {
    tn_str etag;      /* empty: none */
    int64_t modified; /* seconds since 1970; counts when has_modified */
    bool has_modified;
} tn__validators;

/*
 * What to answer by RFC 9110, 13.2.2: 0 go on, 304 or 412. Dates that cannot be read are ignored.
 *
 * reading: the method is GET or HEAD. now: see tn__date_parse.
 */
int tn__conditions_check(const tn__conditions *c, const tn__validators *v, bool reading, int64_t now);

/* Does If-Range let the Range field count? True when it is absent. The comparison is strong, RFC 9110, 13.1.5. */
bool tn__if_range_holds(tn_str field, const tn__validators *v, int64_t now);

typedef struct tn__byte_range {
    int64_t start, end; /* half open */
} tn__byte_range;

/*
 * The two numbers of a Range field that asks for one range of bytes; -1 for the one that is not there: "bytes=1-2" gives 1 and 2,
 * "bytes=-5" gives -1 and 5. Numbers beyond INT64_MAX are INT64_MAX. False when the field is to be ignored.
 */
bool tn__range_parse(tn_str field, int64_t *first, int64_t *last);

enum { TN__RANGE_WHOLE, TN__RANGE_PART, TN__RANGE_UNSATISFIABLE };

/*
 * What a Range field asks of a representation of `size` bytes. WHOLE (200): nothing less than all of it, or the field is to be
 * ignored: another unit, several ranges, anything malformed. PART (206): `range` is set and lies inside. UNSATISFIABLE (416).
 */
int tn__range_resolve(tn_str field, int64_t size, tn__byte_range *range);

#endif
