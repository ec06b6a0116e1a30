#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "tornado/error.h"

TEST(buf, begins_zeroed_and_grows_as_it_is_filled)
{
    tn_buf b = {0};
    assert_str(tn__buf_str(&b), "");
    for (int i = 0; i < 1000; i++) assert_int_equal(tn__buf_add_char(&b, (char)('a' + i % 26)), 0);
    assert_int_equal(tn__buf_add_str(&b, TN_S("end")), 0);
    assert_int_equal(tn__buf_add(&b, NULL, 0), 0);
    assert_int_equal(b.n, 1003);
    assert_int_equal(b.p[27], 'b');
    assert_memory_equal(b.p + 1000, "end", 3);
    assert_true(b.cap < 4096);
    tn__buf_done(&b);
    assert_null(b.p);
    assert_int_equal(b.cap, 0);
}

TEST(buf, formats_what_fits_and_what_does_not)
{
    tn_buf b = {0};
    assert_int_equal(tn__buf_printf(&b, "%s", ""), 0);
    assert_int_equal(b.n, 0);
    for (int n = 1; n < 300; n++) {
        tn__buf_clear(&b);
        assert_int_equal(tn__buf_printf(&b, "%*d", n, 7), 0);
        assert_int_equal(b.n, n);
        assert_int_equal(b.p[n - 1], '7');
        assert_int_equal(tn__buf_printf(&b, "x%d", n), 0);
        assert_int_equal(b.p[n], 'x');
    }
    tn__buf_done(&b);
}

TEST(buf, puts_a_nul_behind_without_counting_it)
{
    tn_buf b = {0};
    assert_int_equal(tn__buf_terminate(&b), 0);
    assert_string_equal(b.p, "");
    for (int i = 0; i < 64; i++) tn__buf_add_char(&b, 'x'); /* full to the brim */
    assert_int_equal(tn__buf_terminate(&b), 0);
    assert_int_equal(strlen(b.p), 64);
    assert_int_equal(b.n, 64);
    tn__buf_done(&b);
}

TEST(buf, drops_bytes_at_its_front)
{
    tn_buf b = {0};
    tn__buf_consume(&b, 5);
    tn__buf_add_str(&b, TN_S("abcdef"));
    tn__buf_consume(&b, 2);
    assert_str(tn__buf_str(&b), "cdef");
    tn__buf_consume(&b, 0);
    tn__buf_consume(&b, 4);
    assert_int_equal(b.n, 0);
    tn__buf_done(&b);
}

TEST(buf, is_as_it_was_when_there_is_no_memory)
{
    tn_buf b = {0};
    tn__buf_add_str(&b, TN_S("abc"));
    tn__alloc_fail_after(0, true);
    char big[200] = {0};
    int rc[3] = {tn__buf_add(&b, big, sizeof big), tn__buf_printf(&b, "%200d", 1), tn__buf_reserve(&b, 1000)};
    tn__alloc_fail_after(-1, true);
    for (int i = 0; i < 3; i++) assert_int_equal(rc[i], TN_ENOMEM);
    assert_str(tn__buf_str(&b), "abc");
    assert_int_equal(tn__buf_reserve(&b, SIZE_MAX), TN_ENOMEM);
    assert_int_equal(tn__buf_reserve(&b, SIZE_MAX / 2 + 1), TN_ENOMEM);
    assert_str(tn__buf_str(&b), "abc");
    tn__buf_done(&b);
}
