/* The request line, the forms of a target, limits, and heads that come in pieces. */
#include "heads.h"

#include <time.h>

#define LINE_END " HTTP/1.1\r\nHost: a\r\n\r\n"
#define MALFORMED 400, "Malformed HTTP request line"

/* Accept a request for this target. */
#define target(method, text) accept(method " " text LINE_END)
#define target_refused(method, text) refuse(method " " text LINE_END, MALFORMED)

TEST(parser, takes_a_plain_request_apart)
{
    heads_result *r = accept("GET /a/b?x=1&y HTTP/1.1\r\nHost: example.com:80\r\nAccept:*/*\r\n\r\nnext");
    assert_str(heads_text(r, r->head.method), "GET");
    assert_int_equal(r->head.method_id, TN__GET);
    assert_str(heads_text(r, r->head.target), "/a/b?x=1&y");
    assert_str(heads_text(r, r->head.path), "/a/b");
    assert_str(heads_text(r, r->head.query), "x=1&y");
    assert_str(heads_text(r, r->head.host), "example.com:80");
    assert_int_equal(r->head.minor, 1);
    assert_false(r->head.absolute);
    assert_int_equal(r->head.n_fields, 2);
    assert_str(heads_text(r, r->fields[0].name), "Host");
    assert_str(heads_text(r, r->fields[1].name), "Accept");
    assert_str(heads_text(r, r->fields[1].value), "*/*");
    assert_int_equal(r->head.framing.content_length, -1);
    assert_int_equal(r->head.bytes, 61);
    heads_done(r);
}

TEST(parser, knows_the_methods_that_have_a_slot)
{
    static const struct {
        const char *text;
        tn__method id;
    } methods[] = {{"GET", TN__GET},
                   {"HEAD", TN__HEAD},
                   {"POST", TN__POST},
                   {"PUT", TN__PUT},
                   {"PATCH", TN__PATCH},
                   {"DELETE", TN__DELETE},
                   {"OPTIONS", TN__OPTIONS},
                   {"get", TN__METHOD_OTHER},
                   {"GETS", TN__METHOD_OTHER},
                   {"G", TN__METHOD_OTHER},
                   {"PROPFIND", TN__METHOD_OTHER},
                   {"a-b!#$%&'*+.^_`|~9", TN__METHOD_OTHER}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char text[100];
        snprintf(text, sizeof text, "%s /" LINE_END, methods[i].text);
        heads_result *r = heads_accept_as(&heads_strict, tn_z(text));
        assert_int_equal(r->head.method_id, methods[i].id);
        assert_str(heads_text(r, r->head.method), methods[i].text);
        heads_done(r);
    }
}

TEST(parser, answers_501_to_a_method_of_more_than_32_bytes)
{
    accepted("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF /" LINE_END);
    refuse("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG /" LINE_END, 501, "method too long");
    refuse("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", 501, "method too long");
}

TEST(parser, refuses_a_method_that_is_no_token)
{
    refuse("G@T /" LINE_END, MALFORMED);
    refuse("GET\t/" LINE_END, MALFORMED);
    refuse(" GET /" LINE_END, MALFORMED);
    refuse("/ /" LINE_END, MALFORMED);
    refuse("G\0T /" LINE_END, MALFORMED);
    refuse("\x16\x03\x01\x02\x00\x01\x00", MALFORMED);
    refuse("G\xc3\x89T /" LINE_END, MALFORMED);
}

TEST(parser, refuses_a_request_line_without_exactly_two_single_spaces)
{
    refuse("GET  /" LINE_END, MALFORMED);
    refuse("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / \tHTTP/1.1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET /\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET /\n", MALFORMED);
    refuse("GET\r\n\r\n", MALFORMED);
    refuse("GET / \r\n", MALFORMED);
    refuse("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("\r\nGET /" LINE_END, MALFORMED);
}

TEST(parser, takes_any_minor_version_of_1_and_counts_those_above_1_as_1)
{
    heads_result *r = accept("GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(r->head.minor, 0);
    heads_done(r);
    r = accept("GET / HTTP/1.9\r\nHost: a\r\n\r\n");
    assert_int_equal(r->head.minor, 1);
    heads_done(r);
}

TEST(parser, answers_505_to_other_major_versions)
{
    refuse("GET / HTTP/2.0\r\n\r\n", 505, "unsupported HTTP version");
    refuse("GET / HTTP/0.9\r\n", 505, "unsupported HTTP version");
    refuse("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505, "unsupported HTTP version");
    refuse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "unsupported HTTP version");
}

TEST(parser, refuses_a_garbled_version)
{
    refuse("GET / http/1.1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTP/1.\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTP/11\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTP/1\r\n", MALFORMED);
    refuse("GET / HTTP\r\n", MALFORMED);
    refuse("GET / HTTP/\n", MALFORMED);
    refuse("GET / HTTP/1.11\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTP/10.1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTP/1,1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTP/+1.1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTPS/1.1\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / HTTP/1.1\0\r\nHost: a\r\n\r\n", MALFORMED);
    refuse("GET / X\r\n", MALFORMED);
    refuse("GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "bare CR");
}

TEST(parser, divides_an_origin_form_target_at_the_first_question_mark)
{
    heads_result *r = target("GET", "/?");
    assert_str(heads_text(r, r->head.path), "/");
    assert_int_equal(r->head.query.n, 0);
    assert_int_not_equal(r->head.query.at, 0);
    heads_done(r);
    r = target("GET", "/");
    assert_int_equal(r->head.query.at, 0);
    heads_done(r);
    r = target("GET", "//other/path?a?b");
    assert_str(heads_text(r, r->head.path), "//other/path");
    assert_str(heads_text(r, r->head.query), "a?b");
    assert_str(heads_text(r, r->head.host), "a");
    heads_done(r);
    r = target("GET", "/a/rather/long/path/that/needs/more/than/thirtytwo/bytes?and=a&query=too");
    assert_str(heads_text(r, r->head.path), "/a/rather/long/path/that/needs/more/than/thirtytwo/bytes");
    assert_str(heads_text(r, r->head.query), "and=a&query=too");
    heads_done(r);
}

TEST(parser, takes_the_host_of_an_absolute_form_target)
{
    heads_result *r = target("GET", "http://example.com:81/p?q");
    assert_true(r->head.absolute);
    assert_str(heads_text(r, r->head.host), "example.com:81");
    assert_str(heads_text(r, r->head.path), "/p");
    assert_str(heads_text(r, r->head.query), "q");
    heads_done(r);
    r = target("GET", "HTTPS://[::1]/");
    assert_str(heads_text(r, r->head.host), "[::1]");
    heads_done(r);
}

TEST(parser, gives_an_absolute_form_target_without_a_path_the_path_slash)
{
    heads_result *r = target("GET", "http://example.com");
    assert_str(heads_text(r, r->head.path), "/");
    assert_int_equal(r->head.query.at, 0);
    heads_done(r);
    r = target("GET", "http://example.com?");
    assert_str(heads_text(r, r->head.path), "/");
    assert_int_equal(r->head.query.n, 0);
    assert_int_not_equal(r->head.query.at, 0);
    heads_done(r);
    r = target("GET", "http://example.com?q");
    assert_str(heads_text(r, r->head.path), "/");
    assert_str(heads_text(r, r->head.query), "q");
    heads_done(r);
}

TEST(parser, refuses_an_absolute_form_target_whose_authority_is_none)
{
#define BAD_AUTHORITY 400, "invalid authority in the request-target"
    refuse("GET http:///" LINE_END, BAD_AUTHORITY);
    refuse("GET http://" LINE_END, BAD_AUTHORITY);
    refuse("GET http://u:p@h/" LINE_END, BAD_AUTHORITY);
    refuse("GET http://u@h" LINE_END, BAD_AUTHORITY);
    refuse("GET http://h:x/" LINE_END, BAD_AUTHORITY);
    refuse("GET http://h:65536/" LINE_END, BAD_AUTHORITY);
    refuse("GET http://?q" LINE_END, BAD_AUTHORITY);
    refuse("GET http://h\\x/" LINE_END, BAD_AUTHORITY);
}

TEST(parser, refuses_other_schemes_and_relative_targets)
{
    target_refused("GET", "ftp://example.com/");
    target_refused("GET", "http:/example.com/");
    target_refused("GET", "http:example.com/");
    target_refused("GET", "example.com/");
    target_refused("GET", "example.com:80");
    target_refused("GET", "a");
    target_refused("GET", "?q");
    target_refused("GET", "../x");
}

TEST(parser, takes_authority_form_for_connect_only)
{
    heads_result *r = target("CONNECT", "example.com:443");
    assert_str(heads_text(r, r->head.target), "example.com:443");
    assert_int_equal(r->head.path.n, 0);
    heads_done(r);
    heads_done(target("CONNECT", "[::1]:443"));
    target_refused("CONNECT", "/");
    target_refused("CONNECT", "*");
    target_refused("CONNECT", "example.com");
    target_refused("CONNECT", "example.com:");
    target_refused("CONNECT", "[::1]");
    target_refused("CONNECT", "http://example.com/");
    target_refused("GET", "example.com:443");
}

TEST(parser, takes_asterisk_form_for_options_only)
{
    heads_result *r = target("OPTIONS", "*");
    assert_str(heads_text(r, r->head.path), "*");
    heads_done(r);
    target_refused("GET", "*");
    target_refused("OPTIONS", "**");
    target_refused("OPTIONS", "*?q");
}

TEST(parser, refuses_in_a_target_every_byte_that_is_not_visible_ascii_and_the_number_sign)
{
    for (int i = 0; i < 256; i++) {
        bool good = i > 0x20 && i < 0x7f && i != '#';
        char text[] = "GET /path-of-some-length/?/and-more" LINE_END;
        text[10] = (char)i;
        text[30] = (char)i;
        if (good)
            heads_done(heads_accept_as(&heads_strict, tn_str_of(text, sizeof text - 1)));
        else
            heads_refuse_as(&heads_strict, tn_str_of(text, sizeof text - 1), MALFORMED);
    }
}

TEST(parser, lets_the_dialect_have_number_signs_and_high_bytes_in_a_target_but_no_controls)
{
    tn__dialect any = {.any_target = true};
    heads_result *r = heads_accept_as(&any, TN_S("GET /\xc3\xa9?\xff#x" LINE_END));
    assert_str(heads_text(r, r->head.path), "/\xc3\xa9");
    assert_str(heads_text(r, r->head.query), "\xff#x");
    heads_done(r);
    heads_refuse_as(&any, TN_S("GET /\x7f" LINE_END), MALFORMED);
    heads_refuse_as(&any, TN_S("GET /\0" LINE_END), MALFORMED);
    heads_refuse_as(&any, TN_S("GET /\t" LINE_END), MALFORMED);
}

/* "GET /xxx... HTTP/1.1" with a target of n bytes; with or without what follows it. */
static tn_str request_with_target(char *out, size_t n, bool complete)
{
    memcpy(out, "GET /", 5);
    memset(out + 5, 'x', n - 1);
    size_t end = 4 + n;
    if (complete) memcpy(out + end, LINE_END, sizeof LINE_END);
    return tn_str_of(out, complete ? end + sizeof LINE_END - 1 : end);
}

TEST(parser, answers_414_to_a_target_beyond_its_limit_complete_or_not)
{
    char text[HEADS_BYTES_MAX];
    heads_done(heads_accept_as(&heads_strict, request_with_target(text, HEADS_TARGET_MAX, true)));
    heads_refuse_as(&heads_strict, request_with_target(text, HEADS_TARGET_MAX + 1, true), 414, "request-target too long");
    heads_more(request_with_target(text, HEADS_TARGET_MAX, false));
    heads_refuse_as(&heads_strict, request_with_target(text, HEADS_TARGET_MAX + 40, false), 414, "request-target too long");
    heads_refuse_as(&heads_strict, request_with_target(text, 3 * HEADS_TARGET_MAX, true), 414, "request-target too long");
}

TEST(parser, answers_431_to_a_head_beyond_its_limit_complete_or_not)
{
    char text[HEADS_BYTES_MAX + 100];
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    memset(text, 'x', sizeof text);
    memcpy(text, start, sizeof start - 1);
    memcpy(text + HEADS_BYTES_MAX - 4, "\r\n\r\n", 4);
    heads_done(heads_accept_as(&heads_strict, tn_str_of(text, HEADS_BYTES_MAX)));
    heads_done(heads_accept_as(&heads_strict, tn_str_of(text, sizeof text)));

    memcpy(text + HEADS_BYTES_MAX - 4, "x\r\n\r\n", 5);
    heads_refuse_as(&heads_strict, tn_str_of(text, HEADS_BYTES_MAX + 1), 431, "header lines too long");
    heads_more(tn_str_of(text, HEADS_BYTES_MAX));
    memset(text + HEADS_BYTES_MAX - 4, 'x', 5);
    heads_refuse_as(&heads_strict, tn_str_of(text, HEADS_BYTES_MAX + 1), 431, "header lines too long");
}

TEST(parser, refuses_for_the_first_fault_even_when_the_head_is_too_long)
{
    char text[HEADS_BYTES_MAX + 1];
    memset(text, 'x', sizeof text);
    memcpy(text, "GET / HTTP/1.1\r\nHost : a\r\n", 26);
    heads_refuse_as(&heads_strict, tn_str_of(text, sizeof text), 400, "blank in a header name or before its colon");
}

TEST(parser, answers_431_to_more_fields_than_there_may_be)
{
    char text[HEADS_BYTES_MAX];
    size_t n = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 1; i < HEADS_FIELDS_MAX; i++) n += (size_t)sprintf(text + n, "X: %d\r\n", i);
    sprintf(text + n, "\r\n");
    heads_result *r = heads_accept_as(&heads_strict, tn_z(text));
    assert_int_equal(r->head.n_fields, HEADS_FIELDS_MAX);
    heads_done(r);
    sprintf(text + n, "X: y\r\n\r\n");
    heads_refuse_as(&heads_strict, tn_z(text), 431, "too many header lines");
}

TEST(parser, waits_while_a_head_is_incomplete)
{
    static const char text[] = "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    for (size_t n = 1; n < sizeof text - 1; n++) heads_more(tn_str_of(text, n));
}

/* Feed `text` byte by byte; at which one comes the verdict? */
static size_t refused_at(const char *text)
{
    tn__field fields[10];
    tn__request_head head = {.fields = fields};
    uint32_t resume = 0;
    size_t n = strlen(text);
    for (size_t i = 1; i <= n; i++) {
        char *bytes = malloc(i);
        memcpy(bytes, text, i);
        int outcome = tn__parse_request(bytes, i, &resume, &heads_strict, &heads_limits, &head);
        free(bytes);
        if (outcome == TN__HEAD_REFUSED) return i;
        assert_int_equal(outcome, TN__HEAD_MORE);
    }
    return 0;
}

TEST(parser, refuses_a_bad_line_as_soon_as_it_is_complete_whatever_is_still_to_come)
{
    assert_int_equal(refused_at("GET /\r\n"), 7);
    assert_int_equal(refused_at("GET / HTTP/3.0\r\nHost: a\r\n"), 16);
    assert_int_equal(refused_at("GET / HTTP/1.1\r\nno colon\r\nHost: a\r\n"), 26);
    assert_int_equal(refused_at("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n"), 44);
    assert_int_equal(refused_at("GET / HTTP/1.1\r\nA: b\r\n c\r\n"), 26);
    assert_int_equal(refused_at("GET / HTTP/1.1\r\nA: b\nC: d\r\n"), 21);
    assert_int_equal(refused_at("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n"), 0);
}

/* Seconds of processor time for a head of n bytes that comes byte by byte: one long line, or only short ones. */
static double time_of_drip(size_t n, bool lines)
{
    tn__head_limits limits = {.head_bytes_max = 1 << 30, .target_bytes_max = 1000, .fields_max = 1 << 20};
    tn__request_head head = {.fields = malloc(limits.fields_max * sizeof *head.fields)};
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    char *text = malloc(n);
    memset(text, 'x', n);
    memcpy(text, start, sizeof start - 1);
    for (size_t i = sizeof start; lines && i + 8 < n; i += 4) memcpy(text + i, "\r\nX:", 4);
    memcpy(text + n - 4, "\r\n\r\n", 4);
    uint32_t resume = 0;
    clock_t begin = clock();
    for (size_t i = 1; i < n; i++) {
        assert_int_equal(tn__parse_request(text, i, &resume, &heads_strict, &limits, &head), TN__HEAD_MORE);
    }
    assert_int_equal(tn__parse_request(text, n, &resume, &heads_strict, &limits, &head), TN__HEAD_DONE);
    clock_t end = clock();
    free(text);
    free(head.fields);
    return (double)(end - begin) / CLOCKS_PER_SEC;
}

/* Quadratic, a head sixteen times as long would take 256 times as long. */
static void drip_is_linear(bool lines)
{
    double least = 1e9;
    for (int i = 0; i < 5; i++) {
        double once = time_of_drip(50000, lines);
        if (once < least) least = once;
    }
    assert_true(time_of_drip(16 * 50000, lines) < 100 * least + 0.05);
}

TEST(parser, takes_linear_time_when_a_sender_drips_one_long_line)
{
    drip_is_linear(false);
}

TEST(parser, takes_linear_time_when_a_sender_drips_many_short_lines)
{
    drip_is_linear(true);
}
