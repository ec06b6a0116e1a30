/*
 * Regular expressions over bytes that come in pieces. PCRE2 says where a match may have begun that more bytes could complete, and
 * the next search starts there, so that what cannot match is looked at once.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "stream_match.h"

#include <pcre2.h>

#include "base/alloc.h"

/* What one search may cost, in PCRE2's units: a second or so at the very most, and 16 MiB. */
enum { STEPS_MAX = 1000000, HEAP_KIB_MAX = 16384 };

typedef struct matcher {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    size_t n;
    char text[]; /* the pattern */
} matcher;

static void matcher_free(void *arg)
{
    matcher *m = arg;
    pcre2_code_free(m->code);
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->limits);
    tn__free(m);
}

static int matcher_new(tn_str pattern, matcher **out)
{
    int code;
    PCRE2_SIZE at;
    matcher *m = tn__zalloc(sizeof *m + pattern.n + 1);
    if (!m) return TN_ENOMEM;
    m->n = pattern.n;
    if (pattern.n) memcpy(m->text, pattern.p, pattern.n);
    m->code = pcre2_compile((PCRE2_SPTR)m->text, m->n, 0, &code, &at, NULL);
    m->data = m->code ? pcre2_match_data_create(1, NULL) : NULL;
    m->limits = pcre2_match_context_create(NULL);
    if (!m->data || !m->limits) {
        code = m->code ? TN_ENOMEM : TN_EPATTERN;
        matcher_free(m);
        return code;
    }
    pcre2_set_match_limit(m->limits, STEPS_MAX);
    pcre2_set_heap_limit(m->limits, HEAP_KIB_MAX);
    *out = m;
    return TN_OK;
}

static int search(void *arg, tn_str data, size_t from, size_t *at)
{
    matcher *m = arg;
    int found = pcre2_match(m->code, (PCRE2_SPTR)data.p, data.n, from, PCRE2_PARTIAL_SOFT, m->data, m->limits);
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(m->data);
    switch (found) {
    case PCRE2_ERROR_NOMATCH: *at = data.n; return 0;
    case PCRE2_ERROR_PARTIAL: *at = offsets[0]; return 0;
    case PCRE2_ERROR_NOMEMORY: return TN_ENOMEM;
    default: break;
    }
    if (found < 0) return TN_EPATTERN;
    *at = offsets[1];
    return 1;
}

int tn__stream_matcher(tn__iostream *io, tn_str pattern, tn__read *r)
{
    matcher *m = io->matcher;
    if (io->reading) return TN_EBUSY;
    if (!m || m->n != pattern.n || (m->n && memcmp(m->text, pattern.p, m->n) != 0)) {
        TN_TRY(matcher_new(pattern, &m));
        if (io->matcher) io->matcher_free(io->matcher);
        io->matcher = m;
        io->matcher_free = matcher_free;
    }
    r->match = search;
    r->match_arg = m;
    return TN_OK;
}
