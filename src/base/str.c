/* The calls on tn_str that are too long to be inline. Letters are ASCII letters whatever the locale says. */
#include "tornado/str.h"

#include "alloc.h"

static inline unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool tn_str_caseeq(tn_str a, tn_str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

tn_str tn_str_trim(tn_str s)
{
    while (s.n && is_blank(s.p[s.n - 1])) s.n--;
    while (s.n && is_blank(*s.p)) s.p++, s.n--;
    return s;
}

/* tn__alloc is malloc behind a switch, so the caller's free() is the right one. */
char *tn_strdup(tn_str s)
{
    char *copy = s.n < SIZE_MAX ? tn__alloc(s.n + 1) : NULL;
    if (!copy) return NULL;
    if (s.n) memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}
