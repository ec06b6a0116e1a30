#include "test.h"

#include <stdio.h>

#include "http/status.h"

TEST(status, has_the_phrase_of_each_registered_code)
{
    assert_str(tn__status_reason(200), "OK");
    assert_str(tn__status_reason(204), "No Content");
    assert_str(tn__status_reason(404), "Not Found");
    assert_str(tn__status_reason(413), "Content Too Large");
    assert_str(tn__status_reason(431), "Request Header Fields Too Large");
    assert_str(tn__status_reason(505), "HTTP Version Not Supported");
}

TEST(status, has_lines_that_agree_with_the_phrases)
{
    assert_str(tn__status_line(200), "HTTP/1.1 200 OK\r\n");
    int n = 0;
    for (int code = 100; code <= 599; code++) {
        tn_str line = tn__status_line(code), reason = tn__status_reason(code);
        if (line.n == 0) continue;
        char expected[64];
        snprintf(expected, sizeof expected, "HTTP/1.1 %d " TN_FMT "\r\n", code, TN_ARG(reason));
        assert_str(line, (const char *)expected);
        n++;
    }
    assert_int_equal(n, 62);
}

TEST(status, calls_other_codes_unknown_and_has_no_line_for_them)
{
    static const int codes[] = {-1, 0, 99, 104, 299, 306, 599, 600, 999, 1000000};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_str(tn__status_reason(codes[i]), "Unknown");
        assert_int_equal(tn__status_line(codes[i]).n, 0);
    }
}
