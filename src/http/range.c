/*
 * Conditions and ranges. What is malformed is never half understood: a bad list names nothing, a bad date and a bad range are as
 * good as absent. Numbers saturate instead of overflowing.
 */
#include "range.h"

#include "date.h"
#include "tornado/error.h"

typedef struct entity_tag {
    tn_str opaque; /* with its quotes */
    bool weak;
} entity_tag;

/* etagc = %x21 / %x23-7E / obs-text, RFC 9110, 8.8.3 */
static bool is_etag_byte(char c)
{
    unsigned char u = (unsigned char)c;
    return u > 0x20 && u != '"' && u != 0x7f;
}

/* Take an entity-tag off the front of `rest`. */
static bool take_etag(tn_str *rest, entity_tag *tag)
{
    bool weak = tn_str_starts(*rest, TN_S("W/"));
    size_t first = weak ? 2 : 0, i = first;
    if (i >= rest->n || rest->p[i++] != '"') return false;
    while (i < rest->n && is_etag_byte(rest->p[i])) i++;
    if (i == rest->n || rest->p[i++] != '"') return false;
    *tag = (entity_tag){tn_str_of(rest->p + first, i - first), weak};
    *rest = tn_str_of(rest->p + i, rest->n - i);
    return true;
}

/* RFC 9110, 8.8.3.2 */
static bool etags_equal(const entity_tag *a, const entity_tag *b, bool weak)
{
    return (weak || (!a->weak && !b->weak)) && tn_str_eq(a->opaque, b->opaque);
}

/* Skip the commas and blanks between two elements; false when there are none although something follows. */
static bool take_separator(tn_str *rest)
{
    bool comma = false;
    while (rest->n && (*rest->p == ',' || *rest->p == ' ' || *rest->p == '\t')) {
        comma = comma || *rest->p == ',';
        *rest = tn_str_of(rest->p + 1, rest->n - 1);
    }
    return comma || rest->n == 0;
}

static bool read_etag(tn_str text, entity_tag *tag)
{
    return take_etag(&text, tag) && text.n == 0;
}

bool tn__etag_listed(tn_str field, tn_str etag, bool weak)
{
    entity_tag ours, theirs;
    field = tn_str_trim(field);
    if (tn_str_eq(field, TN_S("*"))) return true;
    if (!read_etag(etag, &ours)) return false;
    take_separator(&field); /* RFC 9110, 5.6.1.2: empty elements say nothing */
    while (take_etag(&field, &theirs)) {
        if (!take_separator(&field)) return false;
        if (etags_equal(&ours, &theirs, weak)) return true;
    }
    return false;
}

/* Do we know that the representation was changed after the time in `field`, or that it was not? */
typedef enum answer { NO, YES, UNKNOWN } answer;

static answer modified_since(tn_str field, const tn__validators *v, int64_t now)
{
    int64_t since;
    if (!v->has_modified || tn__date_parse(tn_str_trim(field), now, &since) < 0) return UNKNOWN;
    return v->modified > since ? YES : NO;
}

int tn__conditions_check(const tn__conditions *c, const tn__validators *v, bool reading, int64_t now)
{
    /* The numbers are the steps of RFC 9110, 13.2.2. */
    if (c->if_match.p) { /* 1 */
        if (!tn__etag_listed(c->if_match, v->etag, false)) return 412;
    } else if (c->if_unmodified_since.p) { /* 2 */
        if (modified_since(c->if_unmodified_since, v, now) == YES) return 412;
    }
    if (c->if_none_match.p) { /* 3 */
        if (tn__etag_listed(c->if_none_match, v->etag, true)) return reading ? 304 : 412;
    } else if (c->if_modified_since.p && reading) { /* 4 */
        if (modified_since(c->if_modified_since, v, now) == NO) return 304;
    }
    return 0;
}

bool tn__if_range_holds(tn_str field, const tn__validators *v, int64_t now)
{
    if (!field.p) return true;
    field = tn_str_trim(field);
    entity_tag ours, theirs;
    if (read_etag(field, &theirs)) return read_etag(v->etag, &ours) && etags_equal(&ours, &theirs, false);
    int64_t date;
    if (!v->has_modified || tn__date_parse(field, now, &date) < 0) return false;
    return date == v->modified && date < now; /* RFC 9110, 8.8.2.2: within its own second, it may have changed twice */
}

/* Digits to a number, INT64_MAX for anything above; -1 when there is another byte, or none at all. */
static int64_t number_of(tn_str digits)
{
    if (digits.n == 0) return -1;
    int64_t value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9') return -1;
        int digit = digits.p[i] - '0';
        value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
    }
    return value;
}

static int part(int64_t start, int64_t end, int64_t size, tn__byte_range *range)
{
    if (start >= size || start >= end) return TN__RANGE_UNSATISFIABLE;
    if (end > size) end = size;
    if (start == 0 && end == size) return TN__RANGE_WHOLE;
    *range = (tn__byte_range){start, end};
    return TN__RANGE_PART;
}

/* "-500": the last 500 bytes. */
static int last_bytes(int64_t n, int64_t size, tn__byte_range *range)
{
    if (n == 0) return TN__RANGE_UNSATISFIABLE;
    return n >= size ? TN__RANGE_WHOLE : part(size - n, size, size, range);
}

bool tn__range_parse(tn_str field, int64_t *first, int64_t *last)
{
    enum { UNIT = sizeof "bytes=" - 1 };
    field = tn_str_trim(field);
    if (field.n < UNIT || !tn_str_caseeq(tn_str_of(field.p, UNIT), TN_S("bytes="))) return false;
    tn_str set = {field.p + UNIT, field.n - UNIT};
    const char *dash = memchr(set.p, '-', set.n);
    if (!dash) return false;
    tn_str from = {set.p, (size_t)(dash - set.p)}, to = {dash + 1, set.n - from.n - 1};
    int64_t start = number_of(from), end = number_of(to);
    if ((from.n && start < 0) || (to.n && end < 0)) return false; /* several ranges have a comma in one of the two */
    if (from.n == 0 && to.n == 0) return false;
    *first = start;
    *last = end;
    return true;
}

int tn__range_resolve(tn_str field, int64_t size, tn__byte_range *range)
{
    int64_t first, last;
    if (!tn__range_parse(field, &first, &last)) return TN__RANGE_WHOLE;
    if (first < 0) return last_bytes(last, size, range);
    if (last < 0) last = INT64_MAX;
    return part(first, last < INT64_MAX ? last + 1 : last, size, range);
}
