/* The access log: a line for each request, in Tornado's form, and who may write another. */
#include "web/web_test.h"

#include <regex.h>

static int status_of_path(tn_req *r)
{
    return tn_set_status(r, atoi(tn_req_path(r).p + 1), NULL);
}

static void assert_line(const char *line, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int no = regexec(&regex, line, 0, NULL, 0);
    regfree(&regex);
    if (no) fail_msg("\"%s\" is not \"%s\"", line, pattern);
}

TEST(access, is_a_line_with_status_method_uri_peer_and_milliseconds)
{
    stage s;
    stage_open_function(&s, status_of_path);
    get(&s, "/200?a=b");
    assert_line(logged(&s), "^I access: 200 GET /200\\?a=b \\(0\\.0\\.0\\.0\\) [0-9]+\\.[0-9][0-9]ms\n$");
    stage_close(&s);
}

TEST(access, has_the_level_that_the_status_deserves)
{
    static const struct {
        const char *path, *line;
    } all[] = {{"/100", "^I"}, {"/302", "^I"}, {"/399", "^I"}, {"/400", "^W"}, {"/499", "^W"}, {"/500", "^E"}, {"/599", "^E"}};
    stage s;
    stage_open_function(&s, status_of_path);
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        get(&s, all[i].path);
        assert_line(logged(&s), all[i].line);
    }
    stage_close(&s);
}

static int slow(tn_req *r)
{
    return wait_at_gate(r);
}

TEST(access, is_written_when_the_request_is_over)
{
    stage s;
    stage_open_function(&s, slow);
    get(&s, "/");
    assert_string_equal(logged(&s), "");
    open_gate(&s, 0);
    assert_line(logged(&s), "^I access: 200 GET / ");
    stage_close(&s);
}

static void log_mine(tn_req *r)
{
    leave("%d " TN_FMT, tn_get_status(r), TN_ARG(tn_req_uri(r)));
}

TEST(access, may_be_the_handlers_own)
{
    static const tn_handler Own = {.get = slow, .log_request = log_mine};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Own}, {0}});
    get(&s, "/");
    open_gate(&s, 0);
    assert_trail("200 /");
    assert_string_equal(logged(&s), "");
    stage_close(&s);
}

TEST(access, is_silent_about_what_nobody_wants_to_read)
{
    stage s;
    stage_open_function(&s, status_of_path);
    tn_loop_set_log(s.loop, keep_log, &s, TN_LOG_ERROR);
    get(&s, "/200");
    get(&s, "/404");
    assert_string_equal(logged(&s), "");
    get(&s, "/500");
    assert_line(logged(&s), "^E access: 500 GET /500 ");
    tn_loop_set_log(s.loop, keep_log, &s, TN_LOG_NONE);
    get(&s, "/500");
    assert_string_equal(logged(&s), "");
    stage_close(&s);
}
