#include "test.h"

#include "base/base64.h"
#include "tornado/error.h"

static void check_both_ways(tn_str plain, tn_str coded)
{
    char out[64], back[64];
    size_t n = tn__base64_encode(out, plain);
    assert_int_equal(n, coded.n);
    assert_int_equal(n, TN__BASE64_BYTES(plain.n));
    assert_memory_equal(out, coded.p, n);
    long m = tn__base64_decode(back, coded);
    assert_int_equal(m, plain.n);
    assert_memory_equal(back, plain.p, plain.n);
}

TEST(base64, agrees_with_the_test_vectors_of_the_rfc)
{
    check_both_ways(TN_S(""), TN_S(""));
    check_both_ways(TN_S("f"), TN_S("Zg=="));
    check_both_ways(TN_S("fo"), TN_S("Zm8="));
    check_both_ways(TN_S("foo"), TN_S("Zm9v"));
    check_both_ways(TN_S("foob"), TN_S("Zm9vYg=="));
    check_both_ways(TN_S("fooba"), TN_S("Zm9vYmE="));
    check_both_ways(TN_S("foobar"), TN_S("Zm9vYmFy"));
    check_both_ways(TN_S("\xff\xef\xbe\x00"), TN_S("/+++AA=="));
}

TEST(base64, gives_back_every_length_of_every_byte)
{
    unsigned char plain[256];
    char coded[TN__BASE64_BYTES(256)], back[TN__BASE64_BYTES(256) / 4 * 3];
    for (int i = 0; i < 256; i++) plain[i] = (unsigned char)(i * 167 + 13);
    for (size_t n = 0; n <= sizeof plain; n++) {
        size_t m = tn__base64_encode(coded, tn_str_of(plain, n));
        assert_int_equal(tn__base64_decode(back, tn_str_of(coded, m)), n);
        assert_memory_equal(back, plain, n);
    }
}

TEST(base64, refuses_every_other_spelling)
{
    static const char *bad[] = {
        "Z",      "Zg",    "Zg=",        "Zg===", "Zh==", "Zm9=",     "Z===", "====",  "=g==", "Z=g=",       "Zg==Zg==",
        "Zm9v\n", "Zm 9v", "Zm9vZg==\n", "Zm9-",  "Zm9_", "Zm9v====", "Zm.v", "Zm9v=", "Zg=v", "\xc3\xa9==", "Zm9vYg=a",
    };
    char out[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tn__base64_decode(out, tn_z(bad[i])) != TN_ESYNTAX) fail_msg("decoded %s", bad[i]);
    assert_int_equal(tn__base64_decode(out, TN_S("Zm\0v")), TN_ESYNTAX);
}
