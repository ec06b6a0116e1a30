#include "test.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/report.h"

typedef struct heard {
    int lines, level, line;
    tn_log_domain domain;
    char module[64], text[4096];
    size_t text_n;
} heard;

static void hear(void *arg, const tn_log_line *line)
{
    heard *h = arg;
    h->lines++;
    h->level = line->level;
    h->domain = line->domain;
    h->line = line->line;
    snprintf(h->module, sizeof h->module, "%s", line->module);
    memcpy(h->text, line->text.p, line->text.n);
    h->text_n = line->text.n;
}

TEST(report, hands_a_line_to_the_log_function)
{
    heard h = {0};
    tn__report r = {hear, &h, TN_LOG_INFO};
    tn__report_printf(&r, TN_LOG_WARNING, TN_LOG_GENERAL, "/src/http/http1.c", 12, "%d %s", 404, "GET /");
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.level, TN_LOG_WARNING);
    assert_int_equal(h.domain, TN_LOG_GENERAL);
    assert_int_equal(h.line, 12);
    assert_string_equal(h.module, "http1");
    assert_str(tn_str_of(h.text, h.text_n), "404 GET /");
    tn__report_str(&r, TN_LOG_ERROR, TN_LOG_ACCESS, "loop.c", 1, TN_S("ready"));
    assert_string_equal(h.module, "loop");
    assert_str(tn_str_of(h.text, h.text_n), "ready");
}

static int evaluated;
static int evaluate(void)
{
    return ++evaluated;
}

TEST(report, evaluates_nothing_when_the_line_is_not_wanted)
{
    heard h = {0};
    tn__report quiet = {hear, &h, TN_LOG_WARNING}, silent = {0};
    TN__SAY(&quiet, TN_LOG_INFO, TN_LOG_GENERAL, "%d", evaluate());
    TN__SAY(&silent, TN_LOG_CRITICAL, TN_LOG_GENERAL, "%d", evaluate());
    tn__report_str(&quiet, TN_LOG_INFO, TN_LOG_GENERAL, "x.c", 1, TN_S("x"));
    assert_int_equal(evaluated, 0);
    assert_int_equal(h.lines, 0);
    TN__SAY(&quiet, TN_LOG_WARNING, TN_LOG_GENERAL, "%d", evaluate());
    assert_int_equal(evaluated, 1);
    assert_int_equal(h.lines, 1);
    assert_string_equal(h.module, "test_report");
}

TEST(report, says_long_lines_whole_or_their_beginning_without_memory)
{
    heard h = {0};
    tn__report r = {hear, &h, TN_LOG_DEBUG};
    tn__report_printf(&r, TN_LOG_INFO, TN_LOG_GENERAL, "x.c", 1, "%3000d", 7);
    assert_int_equal(h.text_n, 3000);
    assert_int_equal(h.text[2999], '7');
    tn__alloc_fail_after(0, true);
    tn__report_printf(&r, TN_LOG_INFO, TN_LOG_GENERAL, "x.c", 1, "begin%3000d", 7);
    tn__alloc_fail_after(-1, true);
    assert_int_equal(h.text_n, 511);
    assert_memory_equal(h.text, "begin", 5);
}
