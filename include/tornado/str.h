/*
 * tn_str: a borrowed piece of text or bytes, passed by value.
 *
 * A tn_str never owns what it points to; who does, and until when, is said where one is given out. It may contain NUL bytes. Calls
 * that take text accept a tn_str, a `char *` or a `const char *` (see TN_STR).
 */
#ifndef TORNADO_STR_H
#define TORNADO_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What the shared library exports; everything else is hidden. */
#if defined(__GNUC__)
#define TN_API __attribute__((visibility("default")))
#define TN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define TN_API
#define TN_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_str {
    const char *p; /* the bytes; may be NULL when n is 0 */
    size_t n;      /* how many */
} tn_str;

/* A string literal as a tn_str, its length known at compile time. */
#ifdef __cplusplus
#define TN_S(literal) (tn_str{"" literal, sizeof(literal) - 1})
#else
#define TN_S(literal) ((tn_str){"" literal, sizeof(literal) - 1})
#endif

/* Print a tn_str: printf("path " TN_FMT "\n", TN_ARG(path)). */
#define TN_FMT "%.*s"
#define TN_ARG(s) (int)(s).n, (s).p

/* A NUL-terminated string as a tn_str; NULL gives the empty one. */
static inline tn_str tn_z(const char *text)
{
    tn_str s = {text, text ? strlen(text) : 0};
    return s;
}

/* `n` bytes at `p` as a tn_str. */
static inline tn_str tn_str_of(const void *p, size_t n)
{
    tn_str s = {(const char *)p, n};
    return s;
}

static inline tn_str tn_str_self(tn_str s)
{
    return s;
}

/* True when both hold the same bytes. */
static inline bool tn_str_eq(tn_str a, tn_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* True when both hold the same bytes, the case of ASCII letters apart. */
TN_API bool tn_str_caseeq(tn_str a, tn_str b);

/* True when `s` begins with, or ends in, `part`. */
static inline bool tn_str_starts(tn_str s, tn_str part)
{
    return s.n >= part.n && (part.n == 0 || memcmp(s.p, part.p, part.n) == 0);
}
static inline bool tn_str_ends(tn_str s, tn_str part)
{
    return s.n >= part.n && (part.n == 0 || memcmp(s.p + s.n - part.n, part.p, part.n) == 0);
}

/* `s` without the spaces and tabs (no other bytes) at both ends. */
TN_API tn_str tn_str_trim(tn_str s);

/* A copy of `s` on the heap, followed by a NUL. Free it with free(). NULL for lack of memory. */
TN_API char *tn_strdup(tn_str s);

#ifdef __cplusplus
} /* extern "C" */

static inline tn_str tn_str_from(tn_str s)
{
    return s;
}
static inline tn_str tn_str_from(const char *s)
{
    return tn_z(s);
}
#define TN_STR(x) tn_str_from(x)
#else
/* What calls that take text do with their argument: a tn_str, a char * or a const char *. */
#define TN_STR(x) _Generic((x), tn_str : tn_str_self, char * : tn_z, const char * : tn_z)(x)
#endif

#endif
