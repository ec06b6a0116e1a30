/* Patterns over PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <pcre2.h>
#include <stdio.h>

#include "base/alloc.h"

enum { MATCH_STEPS_MAX = 100000, MATCH_KIB_MAX = 16384 };

struct tn__pattern {
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_match_data *data; /* one match at a time: an application is used by one loop */
    uint32_t groups;
};

static void *pcre_alloc(size_t n, void *arg)
{
    (void)arg;
    return tn__alloc(n);
}

static void pcre_free(void *p, void *arg)
{
    (void)arg;
    tn__free(p);
}

static int fail(tn_error *err, int code, size_t at, const char *text)
{
    if (err) {
        err->code = code;
        err->at = at;
        snprintf(err->text, sizeof err->text, "%s", text);
    }
    return code;
}

/* The compiled code, anchored at both ends. */
static int compile(tn__pattern *p, pcre2_general_context *general, const char *text, tn_error *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    if (!context) return fail(err, TN_ENOMEM, 0, "out of memory");
    int number;
    PCRE2_SIZE at;
    p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_ANCHORED | PCRE2_ENDANCHORED, &number, &at, context);
    pcre2_compile_context_free(context);
    if (!p->code) {
        char reason[160];
        pcre2_get_error_message(number, (PCRE2_UCHAR *)reason, sizeof reason);
        return fail(err, number == PCRE2_ERROR_HEAP_FAILED ? TN_ENOMEM : TN_EPATTERN, at, reason);
    }
    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &p->groups);
    if (p->groups > TN__GROUPS_MAX) return fail(err, TN_EPATTERN, 0, "too many groups in a pattern");
    return TN_OK;
}

/* What a match works with, and how far it may go. */
static int prepare(tn__pattern *p, pcre2_general_context *general)
{
    p->context = pcre2_match_context_create(general);
    p->data = pcre2_match_data_create_from_pattern(p->code, general);
    if (!p->context || !p->data) return TN_ENOMEM;
    pcre2_set_match_limit(p->context, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(p->context, MATCH_KIB_MAX);
    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* where it is not supported, the interpreter does it */
    return TN_OK;
}

int tn__pattern_new(tn__pattern **out, const char *text, tn_error *err)
{
    tn__pattern *p = tn__zalloc(sizeof *p);
    pcre2_general_context *general = p ? pcre2_general_context_create(pcre_alloc, pcre_free, NULL) : NULL;
    int e = general ? compile(p, general, text, err) : fail(err, TN_ENOMEM, 0, "out of memory");
    if (e == TN_OK) {
        e = prepare(p, general);
        if (e < 0) fail(err, e, 0, "out of memory");
    }
    if (general) pcre2_general_context_free(general);
    if (e < 0) {
        tn__pattern_free(p);
        return e;
    }
    *out = p;
    return TN_OK;
}

void tn__pattern_free(tn__pattern *p)
{
    if (!p) return;
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->context);
    pcre2_code_free(p->code);
    tn__free(p);
}

bool tn__pattern_match(const tn__pattern *p, tn_str subject, tn__groups *groups)
{
    PCRE2_SPTR bytes = (PCRE2_SPTR)(subject.p ? subject.p : "");
    int n = pcre2_match(p->code, bytes, subject.n, 0, 0, p->data, p->context);
    /* A repeated group takes stack for each round, and compiled code has little of it: the interpreter takes the heap instead. */
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) n = pcre2_match(p->code, bytes, subject.n, 0, PCRE2_NO_JIT, p->data, p->context);
    if (n < 0) return false;
    if (!groups) return true;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(p->data);
    groups->n = p->groups;
    for (uint32_t i = 0; i < p->groups; i++) {
        PCRE2_SIZE from = ends[2 * (i + 1)], to = ends[2 * (i + 1) + 1];
        bool took_part = (int)i + 1 < n && from != PCRE2_UNSET;
        groups->at[i] = took_part ? tn_str_of(subject.p + from, to - from) : (tn_str){0};
    }
    return true;
}

int tn__pattern_group(const tn__pattern *p, tn_str name)
{
    char text[64];
    if (!p || name.n >= sizeof text) return -1;
    memcpy(text, name.p, name.n);
    text[name.n] = 0;
    int n = pcre2_substring_number_from_name(p->code, (PCRE2_SPTR)text);
    return n > 0 ? n - 1 : -1;
}

bool tn__pattern_is_literal(const char *text)
{
    return strpbrk(text, ".^$*+?()[]{}|\\") == NULL;
}
