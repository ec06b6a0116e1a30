#include "test.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "tornado/error.h"

static void check_hex(const unsigned char *bytes, size_t n, const char *expected)
{
    char text[129] = {0};
    tn__hex(text, bytes, n);
    assert_string_equal(text, expected);
}

TEST(digest, agrees_with_published_values)
{
    unsigned char out[TN__SHA512_BYTES];
    tn__digester *d = tn__digester_new();
    assert_int_equal(tn__sha1(d, TN_S("Hello, world"), out), 0);
    check_hex(out, TN__SHA1_BYTES, "e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8");
    assert_int_equal(tn__sha1(d, TN_S(""), out), 0);
    check_hex(out, TN__SHA1_BYTES, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_int_equal(tn__sha256(d, TN_S("abc"), out), 0);
    check_hex(out, TN__SHA256_BYTES, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(tn__sha512(d, TN_S("abc"), out), 0);
    check_hex(out, TN__SHA512_BYTES,
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    tn__digester_free(d);
    tn__digester_free(NULL);
}

TEST(digest, of_one_text_does_not_depend_on_what_came_before)
{
    unsigned char first[TN__SHA1_BYTES], again[TN__SHA1_BYTES];
    tn__digester *d = tn__digester_new();
    tn__sha1(d, TN_S("one"), first);
    for (int i = 0; i < 100; i++) tn__sha1(d, TN_S("another"), again);
    tn__sha1(d, TN_S("one"), again);
    assert_memory_equal(first, again, sizeof first);
    tn__digester_free(d);
}

TEST(digest, hmac_agrees_with_rfc_2202_and_rfc_4231)
{
    unsigned char out[TN__SHA256_BYTES];
    assert_int_equal(tn__hmac_sha1(TN_S("Jefe"), TN_S("what do ya want for nothing?"), out), 0);
    check_hex(out, TN__SHA1_BYTES, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_int_equal(tn__hmac_sha256(TN_S("Jefe"), TN_S("what do ya want for nothing?"), out), 0);
    check_hex(out, TN__SHA256_BYTES, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_int_equal(tn__hmac_sha256(TN_S(""), TN_S(""), out), 0);
    check_hex(out, TN__SHA256_BYTES, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(digest, says_when_there_is_no_memory)
{
    tn__alloc_fail_after(0, true);
    tn__digester *d = tn__digester_new();
    tn__alloc_fail_after(-1, true);
    assert_null(d);
}

TEST(digest, compares_secrets_by_their_bytes)
{
    assert_true(tn__equal_const(TN_S("abc"), TN_S("abc")));
    assert_false(tn__equal_const(TN_S("abc"), TN_S("abd")));
    assert_false(tn__equal_const(TN_S("abc"), TN_S("abcd")));
    assert_true(tn__equal_const(TN_S(""), tn_str_of(NULL, 0)));
}

TEST(digest, gives_random_bytes_that_differ)
{
    unsigned char a[32] = {0}, b[32] = {0};
    assert_int_equal(tn__random(a, sizeof a), 0);
    assert_int_equal(tn__random(b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
}
