/* Base64: there is one spelling of each value, so what decodes encodes to the same text again. */
#include "fuzz.h"

#include "base/base64.h"
#include "tornado/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    tn_str in = tn_str_of(data, n);
    char *decoded = malloc(n / 4 * 3 + 1), *coded = malloc(TN__BASE64_BYTES(n) + 1),
         *back = malloc(TN__BASE64_BYTES(n) / 4 * 3 + 1);
    long m = tn__base64_decode(decoded, in);
    REQUIRE(m == TN_ESYNTAX || (m >= 0 && (size_t)m <= n / 4 * 3));
    if (m >= 0) {
        size_t again = tn__base64_encode(coded, tn_str_of(decoded, (size_t)m));
        REQUIRE(tn_str_eq(tn_str_of(coded, again), in));
    }
    size_t coded_n = tn__base64_encode(coded, in);
    REQUIRE(coded_n == TN__BASE64_BYTES(n));
    REQUIRE(tn__base64_decode(back, tn_str_of(coded, coded_n)) == (long)n);
    REQUIRE(tn_str_eq(tn_str_of(back, n), in));
    free(decoded);
    free(coded);
    free(back);
    return 0;
}
