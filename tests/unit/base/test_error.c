#include "test.h"

#include "tornado/error.h"

TEST(error, codes_have_a_name_and_a_text)
{
    assert_string_equal(tn_errname(TN_EOF), "TN_EOF");
    assert_string_equal(tn_strerror(TN_EOF), "end of input");
    assert_string_equal(tn_errname(TN_ENOMEM), "ENOMEM");
    assert_string_equal(tn_strerror(TN_ENOMEM), "out of memory");
    assert_string_equal(tn_errname(-ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(tn_errname(0), "TN_OK");
}

TEST(error, every_one_of_ours_is_in_the_table)
{
#define CHECK(code, number, text)                                                                                                  \
    assert_int_equal(code, number);                                                                                                \
    assert_string_equal(tn_errname(code), #code);                                                                                  \
    assert_string_equal(tn_strerror(code), text);
    TN_ERRORS(CHECK)
#undef CHECK
}

TEST(error, codes_nobody_knows_have_a_text_too)
{
    assert_string_equal(tn_errname(-99999), "unknown error");
    assert_string_equal(tn_strerror(42), "unknown error");
}

static int third_fails(int n)
{
    TN_TRY(n);
    return 7;
}

TEST(error, try_returns_what_is_negative_and_goes_on_otherwise)
{
    assert_int_equal(third_fails(TN_EOF), TN_EOF);
    assert_int_equal(third_fails(0), 7);
    assert_int_equal(third_fails(1), 7);
}
