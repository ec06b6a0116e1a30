/* The chunked coding. The first byte chooses the slicing; the rest is what is sent. */
#include "fuzz.h"
#include "http/chunked.h"

typedef struct decoded {
    int outcome;
    char *body;
    size_t body_n, used;
    const char *reason;
} decoded;

static decoded decode_in_steps(tn_str text, size_t step)
{
    decoded d = {.outcome = TN__CHUNK_MORE, .body = malloc(text.n + 1)};
    tn__chunked c;
    tn__chunked_init(&c);
    if (!d.body) abort();
    for (size_t at = 0; at < text.n && d.outcome == TN__CHUNK_MORE; at += step) {
        size_t n = text.n - at < step ? text.n - at : step;
        char *piece = fuzz_copy(text.p + at, n);
        tn_str in = {piece, n}, data;
        while ((d.outcome = tn__chunked_next(&c, &in, &data, &d.reason)) == TN__CHUNK_DATA) {
            REQUIRE(data.n > 0 && data.p >= piece && data.p + data.n == in.p && in.p + in.n == piece + n);
            memcpy(d.body + d.body_n, data.p, data.n);
            d.body_n += data.n;
        }
        REQUIRE(d.outcome != TN__CHUNK_MORE || in.n == 0);
        REQUIRE(d.outcome != TN__CHUNK_BAD || d.reason);
        d.used = at + n - in.n;
        free(piece);
    }
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2) return 0;
    tn_str text = tn_str_of(data + 1, n - 1);
    decoded whole = decode_in_steps(text, text.n);
    size_t steps[] = {1, (data[0] >> 1) % 61 + 2u};
    for (int i = 0; i < 2; i++) {
        decoded sliced = decode_in_steps(text, steps[i]);
        REQUIRE(sliced.outcome == whole.outcome && sliced.used == whole.used && sliced.body_n == whole.body_n);
        REQUIRE(memcmp(sliced.body, whole.body, whole.body_n) == 0);
        REQUIRE(whole.outcome != TN__CHUNK_BAD || strcmp(sliced.reason, whole.reason) == 0);
        free(sliced.body);
    }
    free(whole.body);
    return 0;
}
