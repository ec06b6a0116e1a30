/* Scanning, the rest of scan.h: the table of byte classes, and long runs in the widest step that the processor knows. */
#include "http/scan.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* Short names, so that the table below can be read. */
enum {
    T = TN__BYTE_TOKEN,
    V = TN__BYTE_VALUE,
    G = TN__BYTE_TARGET | TN__BYTE_WIDE, /* every byte of a strict target is one of a wide target */
    W = TN__BYTE_WIDE,
    H = TN__BYTE_HOST,
    X = TN__BYTE_HEX,
};

const uint8_t tn__byte_class[256] = {
    ['\t'] = V,
    [' '] = V,
    ['!'] = T | V | G | H,
    ['"'] = V | G,
    ['#'] = T | V | W,
    ['$'] = T | V | G | H,
    ['%'] = T | V | G,
    ['&' ... '\''] = T | V | G | H,
    ['(' ... ')'] = V | G | H,
    ['*' ... '+'] = T | V | G | H,
    [','] = V | G | H,
    ['-' ... '.'] = T | V | G | H,
    ['/'] = V | G,
    ['0' ... '9'] = T | V | G | H | X,
    [':'] = V | G,
    [';'] = V | G | H,
    ['<'] = V | G,
    ['='] = V | G | H,
    ['>' ... '@'] = V | G,
    ['A' ... 'F'] = T | V | G | H | X,
    ['G' ... 'Z'] = T | V | G | H,
    ['[' ... ']'] = V | G,
    ['^'] = T | V | G,
    ['_'] = T | V | G | H,
    ['`'] = T | V | G,
    ['a' ... 'f'] = T | V | G | H | X,
    ['g' ... 'z'] = T | V | G | H,
    ['{'] = V | G,
    ['|'] = T | V | G,
    ['}'] = V | G,
    ['~'] = T | V | G | H,
    [0x80 ... 0xff] = V | W,
};

#if defined(__SSE2__)

const char *tn__scan_value_sse2(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        unsigned ends = tn__value_ends16(p);
        if (ends) return p + __builtin_ctz(ends);
    }
    return tn__scan_scalar(p, end, TN__BYTE_VALUE);
}

const char *tn__scan_target_sse2(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        unsigned ends = tn__target_ends16(p);
        if (ends) return p + __builtin_ctz(ends);
    }
    return tn__scan_scalar(p, end, TN__BYTE_TARGET);
}

/* The same comparisons as in tn__value_ends16 and tn__target_ends16, on 32 bytes. */
__attribute__((target("avx2"))) static const char *value_avx2(const char *p, const char *end)
{
    for (; end - p >= 32; p += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)p);
        __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8(0x1f)), x);
        __m256i tab = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('\t'));
        __m256i del = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x7f));
        unsigned ends = (unsigned)_mm256_movemask_epi8(_mm256_or_si256(_mm256_andnot_si256(tab, control), del));
        if (ends) return p + __builtin_ctz(ends);
    }
    return tn__scan_value_sse2(p, end);
}

__attribute__((target("avx2"))) static const char *target_avx2(const char *p, const char *end)
{
    for (; end - p >= 32; p += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)p);
        __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x21), x);
        __m256i del = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(0x7f));
        __m256i hash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('#'));
        unsigned ends = (unsigned)_mm256_movemask_epi8(_mm256_or_si256(low, _mm256_or_si256(del, hash)));
        if (ends) return p + __builtin_ctz(ends);
    }
    return tn__scan_target_sse2(p, end);
}

/* The question about the processor is a load and a test, so there is no function pointer to set up and to share among threads. */
const char *tn__scan_value_long(const char *p, const char *end)
{
    return __builtin_cpu_supports("avx2") ? value_avx2(p, end) : tn__scan_value_sse2(p, end);
}

const char *tn__scan_target_long(const char *p, const char *end)
{
    return __builtin_cpu_supports("avx2") ? target_avx2(p, end) : tn__scan_target_sse2(p, end);
}

#else

const char *tn__scan_value_long(const char *p, const char *end)
{
    return tn__scan_scalar(p, end, TN__BYTE_VALUE);
}

const char *tn__scan_target_long(const char *p, const char *end)
{
    return tn__scan_scalar(p, end, TN__BYTE_TARGET);
}

#endif
