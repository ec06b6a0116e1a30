/*
 * Arguments: of the query, then of a form in the body, parsed once when the first is asked for, and validated where they are read.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "req.h"

/* Control characters have no place in arguments: each becomes a blank, as in Tornado; tab and line ends stay. */
static void blank_controls(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c <= 0x08 || (c >= 0x0e && c <= 0x1f)) p[i] = ' ';
    }
}

/* A trimmed copy with a NUL. */
static int keep(tn_req *r, tn_str text, tn_str *kept)
{
    tn_str copy = tn__arena_copy(tn__req_arena(r), text.p, text.n);
    if (!copy.p) return TN_ENOMEM;
    blank_controls((char *)copy.p, copy.n);
    size_t from = 0, to = copy.n;
    while (from < to && strchr(" \t\n\r\v\f", copy.p[from])) from++;
    while (to > from && strchr(" \t\n\r\v\f", copy.p[to - 1])) to--;
    ((char *)copy.p)[to] = 0;
    *kept = tn_str_of(copy.p + from, to - from);
    return TN_OK;
}

/* Append the arguments of one text. The array doubles in the arena: all of it together stays linear. */
static int collect(tn_req *r, tn_str text, size_t *cap)
{
    size_t max = r->x->conn->server->opts.arguments_max;
    tn__query q = tn__query_begin(text, (uint32_t)(max - r->args_n));
    tn_str name, value;
    int e;
    while ((e = tn__query_next(&q, tn__req_arena(r), &name, &value)) > 0) {
        if (r->args_n == *cap) {
            size_t bigger = *cap ? *cap * 2 : 8;
            tn__argument *args = tn__arena_alloc(tn__req_arena(r), bigger * sizeof *args);
            if (!args) return TN_ENOMEM;
            if (r->args_n) memcpy(args, r->args, r->args_n * sizeof *args);
            r->args = args;
            *cap = bigger;
        }
        tn__argument *a = &r->args[r->args_n];
        a->name = name;
        TN_TRY(keep(r, value, &a->value));
        r->args_n++;
    }
    return e;
}

static bool is_form(const tn_req *r)
{
    tn_str type = tn_req_header(r, "Content-Type"), form = TN_S("application/x-www-form-urlencoded");
    return type.n >= form.n && tn_str_caseeq(tn_str_of(type.p, form.n), form);
}

static int parse(tn_req *r)
{
    if (r->args_parsed) return TN_OK;
    size_t cap = 0;
    r->args_n = 0;
    int e = collect(r, tn_req_query(r), &cap);
    if (e == TN_OK && is_form(r)) e = collect(r, r->x->body, &cap);
    if (e == TN_ETOOBIG) return tn_raise(r, 400, "too many arguments");
    TN_TRY(e);
    r->args_parsed = true;
    return TN_OK;
}

/* The last argument of that name; `p` is NULL when there is none. */
static int find(tn_req *r, tn_str name, tn_str *out)
{
    TN_TRY(parse(r));
    *out = (tn_str){0};
    for (size_t i = r->args_n; i > 0 && !out->p; i--)
        if (tn_str_eq(r->args[i - 1].name, name)) *out = r->args[i - 1].value;
    if (out->p && !tn__utf8_valid(*out)) return tn_raise(r, 400, "Invalid unicode in " TN_FMT, TN_ARG(name));
    return TN_OK;
}

static int missing(tn_req *r, tn_str name)
{
    return tn_raise(r, 400, "Missing argument " TN_FMT, TN_ARG(name));
}

static int invalid(tn_req *r, tn_str name, const char *what)
{
    return tn_raise(r, 400, "Invalid argument " TN_FMT ": not %s", TN_ARG(name), what);
}

/* Texts to values. All of the text must be used, and no blanks or signs let in that strto... would skip. */

static bool to_u64(tn_str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool to_i64(tn_str s, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t size;
    if (!to_u64(negative ? tn_str_of(s.p + 1, s.n - 1) : s, &size)) return false;
    if (size > (uint64_t)INT64_MAX + negative) return false;
    *out = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

static bool to_f64(tn_str s, double *out)
{
    if (s.n == 0 || s.n > 64) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789+-.eE", s.p[i])) return false;
    char *end;
    double value = strtod(s.p, &end);
    if (end != s.p + s.n || !isfinite(value)) return false;
    *out = value;
    return true;
}

static bool to_bool(tn_str s, bool *out)
{
    static const char *const no[] = {"false", "f", "0", "off", "no"};
    static const char *const yes[] = {"true", "t", "1", "on", "yes", ""};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (tn_str_caseeq(s, tn_z(no[i]))) return *out = false, true;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (tn_str_caseeq(s, tn_z(yes[i]))) return *out = true, true;
    return false;
}

int tn_arg_str_s(tn_req *r, tn_str name, tn_str *out)
{
    tn_str s;
    TN_TRY(find(r, name, &s));
    if (!s.p) return missing(r, name);
    *out = s;
    return TN_OK;
}

int tn_arg_str_or_s(tn_req *r, tn_str name, tn_str *out, tn_str standard)
{
    tn_str s;
    TN_TRY(find(r, name, &s));
    *out = s.p ? s : standard;
    return TN_OK;
}

/* The typed calls are alike but for the type. */
#define TYPED(suffix, type, what)                                                                                                  \
    int tn_arg_##suffix##_s(tn_req *r, tn_str name, type *out)                                                                     \
    {                                                                                                                              \
        tn_str s = {0};                                                                                                            \
        TN_TRY(tn_arg_str_s(r, name, &s));                                                                                         \
        return to_##suffix(s, out) ? TN_OK : invalid(r, name, what);                                                               \
    }                                                                                                                              \
    int tn_arg_##suffix##_or_s(tn_req *r, tn_str name, type *out, type standard)                                                   \
    {                                                                                                                              \
        tn_str s = {0};                                                                                                            \
        TN_TRY(find(r, name, &s));                                                                                                 \
        if (!s.p) *out = standard;                                                                                                 \
        return !s.p || to_##suffix(s, out) ? TN_OK : invalid(r, name, what);                                                       \
    }

TYPED(i64, int64_t, "an integer")
TYPED(u64, uint64_t, "a non-negative integer")
TYPED(f64, double, "a number")
TYPED(bool, bool, "a truth value")

int tn_arg_list_s(tn_req *r, tn_str name, const tn_str **out, size_t *n)
{
    TN_TRY(parse(r));
    size_t count = 0;
    for (size_t i = 0; i < r->args_n; i++) count += tn_str_eq(r->args[i].name, name);
    tn_str *list = tn__arena_alloc(tn__req_arena(r), (count ? count : 1) * sizeof *list);
    if (!list) return TN_ENOMEM;
    count = 0;
    for (size_t i = 0; i < r->args_n; i++) {
        if (!tn_str_eq(r->args[i].name, name)) continue;
        if (!tn__utf8_valid(r->args[i].value)) return tn_raise(r, 400, "Invalid unicode in " TN_FMT, TN_ARG(name));
        list[count++] = r->args[i].value;
    }
    *out = list;
    *n = count;
    return TN_OK;
}
