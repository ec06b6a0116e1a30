#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "http/date.h"
#include "tornado/error.h"

static const int64_t now_2026 = 1782864000; /* 2026-07-01 */

static void check_format(int64_t seconds, const char *expected)
{
    char out[TN__DATE_BYTES];
    tn__date_format(out, seconds);
    assert_str(tn_str_of(out, sizeof out), expected);
}

TEST(date, formats_the_example_of_the_rfc)
{
    check_format(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
    check_format(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    check_format(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    check_format(4294967296, "Sun, 07 Feb 2106 06:28:16 GMT");
}

TEST(date, formats_times_before_1970)
{
    check_format(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
    check_format(-315619200, "Fri, 01 Jan 1960 00:00:00 GMT");
    check_format(-62167219200, "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(date, stays_within_four_digits_of_year)
{
    check_format(INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT");
    check_format(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(date, agrees_with_the_system_and_reads_back_what_it_wrote)
{
    for (int64_t day = -800000; day < 2900000; day += 37) {
        time_t seconds = (time_t)(day * 86400 + day * 7919 % 86400);
        if (seconds < -62167219200 || seconds > 253402300799) continue;
        struct tm tm;
        gmtime_r(&seconds, &tm);
        char expected[64], out[TN__DATE_BYTES];
        strftime(expected, sizeof expected, "%a, %d %b 0000 %H:%M:%S GMT", &tm);
        tn__date_format(out, seconds);
        assert_memory_equal(out, expected, 12);
        assert_memory_equal(out + 16, expected + 16, 13);
        assert_int_equal(strtol(out + 12, NULL, 10), tm.tm_year + 1900);
        int64_t back;
        assert_int_equal(tn__date_parse(tn_str_of(out, sizeof out), now_2026, &back), 0);
        assert_int_equal(back, seconds);
    }
}

static void check_parse(const char *text, int64_t expected)
{
    int64_t seconds = 42;
    if (tn__date_parse(tn_z(text), now_2026, &seconds) != 0) fail_msg("refused: %s", text);
    if (seconds != expected) fail_msg("%s: %lld", text, (long long)seconds);
}

TEST(date, reads_the_three_forms_of_the_rfc)
{
    check_parse("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
    check_parse("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
    check_parse("Sun Nov  6 08:49:37 1994", 784111777);
    check_parse("Wed Nov 16 08:49:37 1994", 784111777 + 10 * 86400);
    check_parse("Fri, 01 Jan 1960 00:00:00 GMT", -315619200);
    check_parse("Tue, 29 Feb 2000 23:59:60 GMT", 951782400 + 86400);
}

TEST(date, does_not_ask_whether_the_day_of_the_week_is_right)
{
    check_parse("Mon, 06 Nov 1994 08:49:37 GMT", 784111777);
}

TEST(date, takes_two_digits_for_the_last_such_year_not_more_than_50_years_ahead)
{
    check_parse("Thursday, 01-Jan-26 00:00:00 GMT", 1767225600);
    check_parse("Tuesday, 30-Jun-76 00:00:00 GMT", 3360700800); /* 2076 */
    check_parse("Friday, 02-Jul-76 00:00:00 GMT", 205113600);   /* 1976 */
    check_parse("Friday, 01-Jan-99 00:00:00 GMT", 915148800);   /* 1999 */
    check_parse("Saturday, 01-Jan-00 00:00:00 GMT", 946684800); /* 2000 */
}

TEST(date, refuses_everything_else)
{
    static const char *bad[] = {
        "",
        "S",
        "Sun",
        "Sun,",
        "Sun, ",
        "Sunday",
        "Sunday,",
        "Sun Nov",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Jan 1994 08:49:37 GMT",
        "Tue, 29 Feb 1994 08:49:37 GMT",
        "Tue, 29 Feb 1900 08:49:37 GMT",
        "Tue, 30 Feb 2000 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 31-Feb-94 08:49:37 GMT",
        "Sundays, 06-Nov-94 08:49:37 GMT",
        "Sunda, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov 06 08:49:37 94",
        "Sun Nov  0 08:49:37 1994",
        "784111777",
        "1994-11-06T08:49:37Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t seconds = 42;
        if (tn__date_parse(tn_z(bad[i]), now_2026, &seconds) != TN_ESYNTAX) fail_msg("accepted: %s", bad[i]);
        assert_int_equal(seconds, 42);
    }
    int64_t seconds;
    assert_int_equal(tn__date_parse(TN_S("Sun, 06 Nov 1994 08:49:37\0GMT"), now_2026, &seconds), TN_ESYNTAX);
}

TEST(date, refuses_every_beginning_of_a_date)
{
    static const char *forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
    for (int form = 0; form < 3; form++) {
        for (size_t n = 0; n < strlen(forms[form]); n++) {
            char *exact = malloc(n ? n : 1); /* so that the sanitizer sees a read beyond the end */
            memcpy(exact, forms[form], n);
            int64_t seconds;
            assert_int_equal(tn__date_parse(tn_str_of(exact, n), now_2026, &seconds), TN_ESYNTAX);
            free(exact);
        }
    }
}

TEST(date, takes_any_clock_for_the_present_and_stays_within_four_digits)
{
    static const int64_t clocks[] = {INT64_MIN, -62167219200, 253402300799, INT64_MAX};
    for (int i = 0; i < 4; i++) {
        int64_t seconds;
        assert_int_equal(tn__date_parse(TN_S("Saturday, 31-Dec-99 23:59:59 GMT"), clocks[i], &seconds), 0);
        assert_in_range(seconds + 62167219200, 0, 62167219200 + 253402300799);
        assert_int_equal(tn__date_parse(TN_S("Saturday, 01-Jan-00 00:00:00 GMT"), clocks[i], &seconds), 0);
        assert_in_range(seconds + 62167219200, 0, 62167219200 + 253402300799);
    }
}
