/* Percent coding and UTF-8. The check of UTF-8 is held against a plain decoder that computes each character. */
#include "fuzz.h"

#include "http/url.h"

static bool utf8_by_code_points(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t i = 0; i < n;) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        size_t bytes = p[i] >> 5 == 6 ? 2 : p[i] >> 4 == 14 ? 3 : p[i] >> 3 == 30 ? 4 : 0;
        if (bytes == 0 || bytes > n - i) return false;
        uint32_t code = p[i] & (0x7f >> bytes);
        for (size_t k = 1; k < bytes; k++) {
            if (p[i + k] >> 6 != 2) return false;
            code = code << 6 | (p[i + k] & 0x3f);
        }
        if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
        i += bytes;
    }
    return true;
}

static void check_coding(tn_str in, bool plus)
{
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn_str decoded = tn__url_unescape(&arena, in, plus);
    REQUIRE(decoded.p && decoded.n <= in.n);

    char *copy = malloc(in.n + 1);
    if (in.n) memcpy(copy, in.p, in.n);
    size_t n = tn__url_decode(copy, tn_str_of(copy, in.n), plus); /* in place */
    REQUIRE(tn_str_eq(tn_str_of(copy, n), decoded));
    free(copy);

    tn_buf escaped = {0};
    REQUIRE(tn__url_escape(&escaped, in, plus) == 0);
    for (size_t i = 0; i < escaped.n; i++) REQUIRE(escaped.p[i] > ' ' && escaped.p[i] < 0x7f);
    REQUIRE(tn_str_eq(tn__url_unescape(&arena, tn__buf_str(&escaped), plus), in));
    tn__buf_done(&escaped);
    tn__arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    REQUIRE(tn__utf8_valid(tn_str_of(data, n)) == utf8_by_code_points(data, n));
    check_coding(tn_str_of(data, n), true);
    check_coding(tn_str_of(data, n), false);
    return 0;
}
