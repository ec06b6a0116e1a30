#include "test.h"

#include "http/start_line.h"

static void check_request(const char *line, const char *method, const char *target, const char *version)
{
    tn__request_line out;
    if (!tn__request_line_split(tn_z(line), &out)) fail_msg("refused: %s", line);
    assert_str(out.method, method);
    assert_str(out.target, target);
    assert_str(out.version, version);
}

TEST(start_line, of_a_request_has_three_parts)
{
    check_request("GET / HTTP/1.1", "GET", "/", "HTTP/1.1");
    check_request("M-SEARCH * HTTP/1.0", "M-SEARCH", "*", "HTTP/1.0");
    check_request("GET /a?b#c%zz HTTP/9.9", "GET", "/a?b#c%zz", "HTTP/9.9");
    check_request("get /\xc3\xa9 HTTP/1.1", "get", "/\xc3\xa9", "HTTP/1.1");
}

TEST(start_line, of_a_request_is_refused_when_anything_is_missing_or_more)
{
    static const char *const bad[] = {
        "",
        " ",
        "GET",
        "GET ",
        "GET /",
        "GET / ",
        "GET /a b HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.10",
        "GET / HTTP/1.",
        "GET / http/1.1",
        "GET / HTTP/a.1",
        "GET\t/ HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET /\x7f HTTP/1.1",
        "GET /\x01 HTTP/1.1",
    };
    tn__request_line out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tn__request_line_split(tn_z(bad[i]), &out)) fail_msg("accepted: %s", bad[i]);
    assert_false(tn__request_line_split(TN_S("GET /\0 HTTP/1.1"), &out));
}

static void check_status(const char *line, int status, const char *phrase)
{
    tn__status_line out;
    if (!tn__status_line_split(tn_z(line), &out)) fail_msg("refused: %s", line);
    assert_str(out.version, "HTTP/1.1");
    assert_int_equal(out.status, status);
    assert_str(out.phrase, phrase);
}

TEST(start_line, of_a_response_may_have_an_empty_phrase)
{
    check_status("HTTP/1.1 200 OK", 200, "OK");
    check_status("HTTP/1.1 999 I am\ta \xe9", 999, "I am\ta \xe9");
    check_status("HTTP/1.1 000 ", 0, "");
}

TEST(start_line, of_a_response_is_refused_when_it_is_anything_else)
{
    static const char *const bad[] = {
        "",
        "HTTP/1.1",
        "HTTP/1.1 200",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1 +20 OK",
        "HTTP/11 200 OK ",
        "http/1.1 200 OK",
        "HTTP/1.1 200 O\x01K",
        "HTTP/1.1 200 OK\r\n",
    };
    tn__status_line out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tn__status_line_split(tn_z(bad[i]), &out)) fail_msg("accepted: %s", bad[i]);
}
