/* Parameters, one at a time and every byte once. Used for the fields of multipart bodies and for media types. */
#include "params.h"

#include "scan.h"
#include "tornado/error.h"

tn_str tn__params_first(tn_str *rest)
{
    const char *semicolon = rest->n ? memchr(rest->p, ';', rest->n) : NULL;
    size_t n = semicolon ? (size_t)(semicolon - rest->p) : rest->n;
    tn_str first = {rest->p, n};
    if (n) *rest = tn_str_of(rest->p + n, rest->n - n);
    return tn_str_trim(first);
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t')) p++;
    return p;
}

static bool is_escape(const char *p, const char *end)
{
    return *p == '\\' && end - p >= 2 && (p[1] == '"' || p[1] == '\\');
}

/* The closing quote of the string that begins at `p`; NULL when there is none. */
static const char *closing_quote(const char *p, const char *end, bool *escaped)
{
    for (; p < end && *p != '"'; p++) {
        if (!is_escape(p, end)) continue;
        *escaped = true;
        p++;
    }
    return p < end ? p : NULL;
}

/* Where the value that begins at `p` ends, its closing quote included; NULL when it is malformed. */
static const char *read_value(const char *p, const char *end, tn__param *param)
{
    if (p < end && *p == '"') {
        const char *quote = closing_quote(p + 1, end, &param->escaped);
        if (!quote) return NULL;
        param->value = tn_str_of(p + 1, (size_t)(quote - p - 1));
        return quote + 1;
    }
    /* The grammar asks for a token, but a boundary or a file name with other visible bytes is just as clear. */
    const char *behind = p;
    while (behind < end && (unsigned char)*behind > ' ' && *behind != 0x7f && *behind != ';' && *behind != '"') behind++;
    param->value = tn_str_of(p, (size_t)(behind - p));
    return behind == p ? NULL : behind;
}

int tn__params_next(tn_str *rest, tn__param *param)
{
    *rest = tn_str_trim(*rest);
    if (rest->n == 0) return 0;
    const char *p = rest->p, *end = p + rest->n;
    /* RFC 9110, 5.6.6: an empty parameter, as after a last ';', says nothing. */
    while (p < end && *p == ';') p = skip_blanks(p + 1, end);
    if (p == end) {
        rest->n = 0;
        return 0;
    }
    if (p == rest->p) return TN_ESYNTAX; /* no ';' behind what came before */

    tn__param found = {0};
    const char *behind = tn__scan_token(p, end);
    found.name = tn_str_of(p, (size_t)(behind - p));
    if (behind == p || behind == end || *behind != '=') return TN_ESYNTAX;
    p = read_value(behind + 1, end, &found);
    if (!p) return TN_ESYNTAX;
    *rest = tn_str_of(p, (size_t)(end - p));
    *param = found;
    return 1;
}

tn_str tn__param_value(tn__arena *a, const tn__param *param)
{
    if (!param->escaped) return param->value;
    char *out = tn__arena_alloc(a, param->value.n + 1);
    if (!out) return tn_str_of(NULL, 0);
    char *to = out;
    const char *p = param->value.p, *end = p + param->value.n;
    while (p < end) {
        if (is_escape(p, end)) p++;
        *to++ = *p++;
    }
    *to = '\0';
    return tn_str_of(out, (size_t)(to - out));
}
