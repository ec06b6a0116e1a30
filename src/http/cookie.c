/*
 * Cookies. Reading splits at every ';', even inside quotes, because that is what browsers do; unquoting looks at every byte once,
 * so no header can cost more than its length.
 */
#include "cookie.h"

#include "date.h"
#include "scan.h"
#include "tornado/error.h"

static tn_str take_piece(tn_str *rest)
{
    const char *semicolon = memchr(rest->p, ';', rest->n);
    tn_str piece = {rest->p, semicolon ? (size_t)(semicolon - rest->p) : rest->n};
    size_t used = piece.n + (semicolon != NULL);
    *rest = tn_str_of(rest->p + used, rest->n - used);
    return piece;
}

bool tn__cookie_next(tn_str *rest, tn__cookie *cookie)
{
    while (rest->n) {
        tn_str piece = take_piece(rest);
        const char *equals = memchr(piece.p, '=', piece.n);
        size_t name_n = equals ? (size_t)(equals - piece.p) : 0, value_at = equals ? name_n + 1 : 0;
        tn_str name = tn_str_trim(tn_str_of(piece.p, name_n));
        tn_str value = tn_str_trim(tn_str_of(piece.p + value_at, piece.n - value_at));
        if (name.n == 0 && value.n == 0) continue;
        *cookie = (tn__cookie){name, value};
        return true;
    }
    return false;
}

tn_str tn__cookie_find(tn_str field, tn_str name)
{
    tn_str value = {NULL, 0};
    tn__cookie cookie;
    while (tn__cookie_next(&field, &cookie))
        if (tn_str_eq(cookie.name, name)) value = cookie.value;
    return value;
}

/* "\073": one byte in three octal digits. */
static bool is_octal(const char *p)
{
    return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

tn_str tn__cookie_unquote(tn__arena *a, tn_str value)
{
    if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"') return value.p ? value : TN_S("");
    tn_str in = {value.p + 1, value.n - 2};
    if (!memchr(in.p, '\\', in.n)) return in;
    char *out = tn__arena_alloc(a, in.n + 1);
    if (!out) return tn_str_of(NULL, 0);

    char *to = out;
    for (size_t i = 0; i < in.n; i++) {
        const char *p = in.p + i;
        size_t left = in.n - i;
        if (*p != '\\' || left < 2) {
            *to++ = *p;
        } else if (left >= 4 && is_octal(p + 1)) {
            *to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
            i += 3;
        } else {
            *to++ = p[1];
            i++;
        }
    }
    *to = '\0';
    return tn_str_of(out, (size_t)(to - out));
}

/* Bytes that Python leaves outside quotes: those of tokens, and ':'. */
static bool is_plain(char c)
{
    return tn__byte_is(c, TN__BYTE_TOKEN) || c == ':';
}

/* Bytes that stand for themselves inside quotes. */
static bool is_plain_in_quotes(char c)
{
    return is_plain(c) || (c != '\0' && strchr(" ()/<=>?@[]{}", c));
}

static bool all_plain(tn_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_plain(s.p[i])) return false;
    return true;
}

/* The quoted form of `value`; `to` has room for four bytes each and two more. Returns its end. */
static char *quote(char *to, tn_str value)
{
    *to++ = '"';
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (is_plain_in_quotes((char)c)) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '\\';
        if (c == '"' || c == '\\') {
            *to++ = (char)c;
            continue;
        }
        *to++ = (char)('0' + (c >> 6));
        *to++ = (char)('0' + (c >> 3 & 7));
        *to++ = (char)('0' + (c & 7));
    }
    *to++ = '"';
    return to;
}

static int write_value(tn_buf *out, tn_str value)
{
    if (all_plain(value)) return tn__buf_add_str(out, value);
    if (value.n > SIZE_MAX / 8) return TN_ENOMEM;
    TN_TRY(tn__buf_reserve(out, value.n * 4 + 2));
    out->n = (size_t)(quote(out->p + out->n, value) - out->p);
    return TN_OK;
}

/* Attributes: no way to end the attribute, the cookie or the field. */
static bool is_attribute(tn_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == ';') return false;
    return true;
}

/* A clause for what is wrong with the cookie; NULL when nothing is. */
static const char *defect(const tn__set_cookie *c)
{
    if (c->name.n == 0 || !all_plain(c->name)) return "invalid cookie name";
    for (size_t i = 0; i < c->value.n; i++)
        if ((unsigned char)c->value.p[i] <= ' ') return "blank or control character in the cookie's value";
    if (!is_attribute(c->domain)) return "invalid cookie domain";
    if (!is_attribute(c->path)) return "invalid cookie path";
    if (!is_attribute(c->samesite)) return "invalid cookie samesite";
    return NULL;
}

static int write_attribute(tn_buf *out, tn_str before, tn_str value)
{
    if (value.n == 0) return TN_OK;
    TN_TRY(tn__buf_add_str(out, before));
    return tn__buf_add_str(out, value);
}

static int write_all(tn_buf *out, const tn__set_cookie *c)
{
    char expires[TN__DATE_BYTES];
    if (c->has_expires) tn__date_format(expires, c->expires);
    TN_TRY(tn__buf_add_str(out, c->name));
    TN_TRY(tn__buf_add_char(out, '='));
    TN_TRY(write_value(out, c->value));
    TN_TRY(write_attribute(out, TN_S("; Domain="), c->domain));
    TN_TRY(write_attribute(out, TN_S("; expires="), tn_str_of(expires, c->has_expires ? sizeof expires : 0)));
    if (c->httponly) TN_TRY(tn__buf_add_str(out, TN_S("; HttpOnly")));
    if (c->has_max_age) TN_TRY(tn__buf_printf(out, "; Max-Age=%lld", (long long)c->max_age));
    if (c->partitioned) TN_TRY(tn__buf_add_str(out, TN_S("; Partitioned")));
    TN_TRY(write_attribute(out, TN_S("; Path="), c->path));
    TN_TRY(write_attribute(out, TN_S("; SameSite="), c->samesite));
    return c->secure ? tn__buf_add_str(out, TN_S("; Secure")) : TN_OK;
}

int tn__set_cookie_write(tn_buf *out, const tn__set_cookie *cookie, const char **reason)
{
    const char *clause = defect(cookie);
    if (clause) {
        *reason = clause;
        return TN_EINVAL;
    }
    size_t n = out->n;
    int rc = write_all(out, cookie);
    if (rc < 0) out->n = n;
    return rc;
}
