/*
 * Scanning for the end of a run of bytes of one class: where parsers spend their time.
 *
 * Every function returns the first byte in [p, end) that does not belong to the class, or `end`; nothing outside the range is
 * read. Names and short values are settled by the inline part, 16 bytes a step (SSE2, which every x86-64 has); long values are
 * handed to scan.c, which takes 32 bytes a step where the processor knows AVX2. The scalar forms are what other processors run and
 * what the tests hold all others against, byte by byte.
 */
#ifndef TN_HTTP_SCAN_H
#define TN_HTTP_SCAN_H

#include "tornado/str.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The classes, as bits of tn__byte_class. */
enum {
    TN__BYTE_TOKEN = 1,  /* tchar, RFC 9110 section 5.6.2 */
    TN__BYTE_VALUE = 2,  /* field values: visible, space, tab, obs-text */
    TN__BYTE_TARGET = 4, /* request-targets: visible ASCII but '#' */
    TN__BYTE_WIDE = 8,   /* the dialect's any_target: '#' and bytes from 0x80 up too */
    TN__BYTE_HOST = 16,  /* reg-name of RFC 3986 section 3.2.2: unreserved and sub-delims; '%' stands apart */
    TN__BYTE_HEX = 32,
};

extern const uint8_t tn__byte_class[256];

static inline bool tn__byte_is(char c, int class)
{
    return tn__byte_class[(unsigned char)c] & class;
}

/* The plain loop, for any class. Four bytes a step halve its instructions. */
static inline const char *tn__scan_scalar(const char *p, const char *end, int class)
{
    for (; end - p >= 4; p += 4) {
        if (!tn__byte_is(p[0], class)) return p;
        if (!tn__byte_is(p[1], class)) return p + 1;
        if (!tn__byte_is(p[2], class)) return p + 2;
        if (!tn__byte_is(p[3], class)) return p + 3;
    }
    while (p < end && tn__byte_is(*p, class)) p++;
    return p;
}

/* For what is longer than the inline part looks at. */
const char *tn__scan_value_long(const char *p, const char *end);
const char *tn__scan_target_long(const char *p, const char *end);

#if defined(__SSE2__)

/* What the two above do where there is no AVX2. Named here so that the tests reach them on every processor. */
const char *tn__scan_value_sse2(const char *p, const char *end);
const char *tn__scan_target_sse2(const char *p, const char *end);

/* One bit for each of the 16 bytes at p that ends a run of the class. */
static inline unsigned tn__value_ends16(const char *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    __m128i tab = _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

static inline unsigned tn__target_ends16(const char *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    /* As signed numbers, the bytes from 0x80 up are below the blank as well. */
    __m128i low = _mm_cmplt_epi8(x, _mm_set1_epi8(0x21));
    __m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));
    __m128i hash = _mm_cmpeq_epi8(x, _mm_set1_epi8('#'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(del, hash)));
}

/* Letters and '-' only: all that names of fields are made of in practice. */
static inline unsigned tn__plain_name_ends16(const char *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    __m128i above_a = _mm_sub_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(above_a, _mm_set1_epi8(25)), above_a);
    __m128i dash = _mm_cmpeq_epi8(x, _mm_set1_epi8('-'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, dash)) ^ 0xffff;
}

/* Most values end within two steps; the call is for those that do not. */
static inline const char *tn__scan_value(const char *p, const char *end)
{
    for (int step = 0; step < 2; step++, p += 16) {
        if (end - p < 16) return tn__scan_scalar(p, end, TN__BYTE_VALUE);
        unsigned ends = tn__value_ends16(p);
        if (ends) return p + __builtin_ctz(ends);
    }
    return tn__scan_value_long(p, end);
}

static inline const char *tn__scan_target(const char *p, const char *end)
{
    for (int step = 0; step < 2; step++, p += 16) {
        if (end - p < 16) return tn__scan_scalar(p, end, TN__BYTE_TARGET);
        unsigned ends = tn__target_ends16(p);
        if (ends) return p + __builtin_ctz(ends);
    }
    return tn__scan_target_long(p, end);
}

static inline const char *tn__scan_token(const char *p, const char *end)
{
    while (end - p >= 16) {
        unsigned ends = tn__plain_name_ends16(p);
        if (ends) {
            p += __builtin_ctz(ends);
            break;
        }
        p += 16;
    }
    /* Here stands the byte behind the token, or one of the rarer token characters. */
    return tn__scan_scalar(p, end, TN__BYTE_TOKEN);
}

#else

static inline const char *tn__scan_value(const char *p, const char *end)
{
    return tn__scan_scalar(p, end, TN__BYTE_VALUE);
}

static inline const char *tn__scan_target(const char *p, const char *end)
{
    return tn__scan_scalar(p, end, TN__BYTE_TARGET);
}

static inline const char *tn__scan_token(const char *p, const char *end)
{
    return tn__scan_scalar(p, end, TN__BYTE_TOKEN);
}

#endif

#endif
