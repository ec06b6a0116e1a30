/* Texts for responses, made in the memory of the request: formatted, escaped for HTML, for queries, for JSON. And tn_url_for. */
#include <stdarg.h>
#include <stdio.h>

#include "base/html.h"
#include "req.h"

tn_str tn_sprintf(tn_req *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tn_str s = tn__arena_vprintf(tn__req_arena(r), format, args);
    va_end(args);
    return s;
}

/* What a byte becomes inside a JSON string; `unicode` has room for \uXXXX. */
static const char *json_escape(unsigned char c, char unicode[8])
{
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
    }
    if (c >= 0x20 && c != 0x7f) return NULL;
    snprintf(unicode, 8, "\\u%04x", c);
    return unicode;
}

static char *put_text(char *out, const char *text)
{
    size_t n = strlen(text);
    memcpy(out, text, n);
    return out + n;
}

tn_str tn_esc_s(tn_req *r, tn_str text)
{
    enum { GROWTH = 6 };
    size_t special = 0;
    for (size_t i = 0; i < text.n; i++) special += tn__html_entity((unsigned char)text.p[i]) != NULL;
    char *begin = tn__arena_alloc(tn__req_arena(r), text.n + special * (GROWTH - 1) + 1), *out = begin;
    if (!begin) return (tn_str){0};
    for (size_t i = 0; i < text.n; i++) {
        const char *as = tn__html_entity((unsigned char)text.p[i]);
        if (as)
            out = put_text(out, as);
        else
            *out++ = text.p[i];
    }
    *out = 0;
    return tn_str_of(begin, (size_t)(out - begin));
}

tn_str tn_urlenc_s(tn_req *r, tn_str text)
{
    tn_buf b = {0};
    tn_str made = {0};
    if (tn__url_escape(&b, text, true) == TN_OK) made = tn__arena_copy(tn__req_arena(r), b.p, b.n);
    tn__buf_done(&b);
    return made;
}

tn_str tn_jsonesc_s(tn_req *r, tn_str text)
{
    enum { GROWTH = 6 };
    char unicode[8];
    size_t special = 0;
    for (size_t i = 0; i < text.n; i++) special += text.p[i] == '/' || json_escape((unsigned char)text.p[i], unicode);
    char *begin = tn__arena_alloc(tn__req_arena(r), text.n + special * (GROWTH - 1) + 3), *out = begin;
    if (!begin) return (tn_str){0};
    *out++ = '"';
    for (size_t i = 0; i < text.n; i++) {
        const char *as = json_escape((unsigned char)text.p[i], unicode);
        bool closes = text.p[i] == '/' && i > 0 && text.p[i - 1] == '<';
        if (closes) *out++ = '\\'; /* "</script>" must not end a script */
        if (as)
            out = put_text(out, as);
        else
            *out++ = text.p[i];
    }
    *out++ = '"';
    *out = 0;
    return tn_str_of(begin, (size_t)(out - begin));
}

/* The end of the group that begins at `p`; NULL for one that captures nothing or does not end. */
static const char *end_of_group(const char *p)
{
    if (p[1] == '?' && strncmp(p, "(?P<", 4) != 0 && (p[2] != '<' || p[3] == '=' || p[3] == '!')) return NULL;
    int depth = 0;
    bool in_class = false;
    for (; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '[')
            in_class = true;
        else if (*p == ']')
            in_class = false;
        else if (!in_class && *p == '(')
            depth++;
        else if (!in_class && *p == ')' && --depth == 0)
            return p;
    }
    return NULL;
}

/* Append the path of a pattern, each group replaced by the next argument. Only plain groups and escapes can be turned round. */
static int fill_in(tn_buf *out, const char *pattern, const tn_str *args, size_t n)
{
    size_t used = 0;
    for (const char *p = pattern; *p; p++) {
        if (*p == '(') {
            p = end_of_group(p);
            if (!p || used == n) return TN_EINVAL;
            TN_TRY(tn__url_escape(out, args[used++], false));
        } else if (*p == '\\') {
            if (!*++p || strchr("dDsSwWbB", *p)) return TN_EINVAL;
            TN_TRY(tn__buf_add_char(out, *p));
        } else if (*p == '$' && !p[1]) {
            break;
        } else if (strchr("*+?[]{}|^", *p)) {
            return TN_EINVAL;
        } else {
            TN_TRY(tn__buf_add_char(out, *p));
        }
    }
    return used == n ? TN_OK : TN_EINVAL;
}

tn_str tn_url_for(tn_req *r, const char *name, const tn_str *args, size_t n)
{
    const tn__rule *rule = tn__app_named(r->app, tn_z(name));
    tn_buf b = {0};
    tn_str made = {0};
    if (rule && fill_in(&b, rule->route->path, args, n) == TN_OK) made = tn__arena_copy(tn__req_arena(r), b.p, b.n);
    tn__buf_done(&b);
    return made;
}
