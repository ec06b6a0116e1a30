/* Errors of handlers: raised, returned, in the middle of a response, and in the page that reports them. */
#include "web/web_test.h"

static tn_method *under_test;

static int run_it(tn_req *r)
{
    return under_test(r);
}

static void open_with(stage *s, tn_method *function)
{
    under_test = function;
    stage_open_function(s, run_it);
}

static int raise_404(tn_req *r)
{
    TN_TRY(tn_set_header(r, "X-Forgotten", "1"));
    TN_TRY(tn_write(r, "forgotten"));
    return tn_raise(r, 404, "no item %d", 7);
}

TEST(fail, raised_answers_with_the_page_and_logs_the_text)
{
    stage s;
    open_with(&s, raise_404);
    const char *raw = get_raw(&s, "/x");
    assert_has(raw, "HTTP/1.1 404 Not Found\r\n");
    assert_has(raw, "\r\nContent-Type: text/html; charset=UTF-8\r\n");
    assert_has(raw, "\r\n\r\n<html><title>404: Not Found</title><body>404: Not Found</body></html>");
    assert_has_not(raw, "orgotten");
    assert_has_not(raw, "Etag");
    const char *lines = logged(&s);
    assert_has(lines, "W general: 404 GET /x (0.0.0.0): no item 7\n");
    assert_has(lines, "W access: 404 GET /x (0.0.0.0) ");
    assert_get(&s, "/x", "404 <69 bytes>"); /* the connection goes on */
    stage_close(&s);
}

static int raise_silently(tn_req *r)
{
    return tn_raise(r, 403, NULL);
}

static int raise_nonsense(tn_req *r)
{
    return tn_raise(r, 1234, NULL);
}

static int raise_interim(tn_req *r)
{
    return tn_raise(r, 103, NULL);
}

static int raise_unknown(tn_req *r)
{
    return tn_raise(r, 499, NULL);
}

TEST(fail, raised_without_a_text_logs_only_the_access)
{
    stage s;
    open_with(&s, raise_silently);
    assert_get(&s, "/", "403 <69 bytes>");
    assert_has_not(logged(&s), "general");
    stage_close(&s);
}

TEST(fail, raised_with_a_status_that_there_is_not_is_500)
{
    stage s;
    open_with(&s, raise_nonsense);
    assert_get(&s, "/", "500 <93 bytes>");
    under_test = raise_interim; /* which would leave the client waiting for the final one */
    assert_get(&s, "/", "500 <93 bytes>");
    under_test = raise_unknown;
    assert_get(&s, "/", "499 <65 bytes>");
    stage_close(&s);
}

static int return_error(tn_req *r)
{
    (void)r;
    return TN_EPATTERN;
}

static int return_timeout(tn_req *r)
{
    (void)r;
    return TN_ETIMEDOUT;
}

static int return_unset_raise(tn_req *r)
{
    (void)r;
    return TN_ERAISED;
}

TEST(fail, any_other_error_is_500_and_logged)
{
    stage s;
    open_with(&s, return_error);
    assert_get(&s, "/", "500 <93 bytes>");
    const char *lines = logged(&s);
    assert_has(lines, "E application: Uncaught error GET / (0.0.0.0): TN_EPATTERN (bad regular expression)\n");
    assert_has(lines, "E access: 500 GET /");
    under_test = return_timeout;
    assert_get(&s, "/", "500 <93 bytes>");
    under_test = return_unset_raise;
    assert_get(&s, "/", "500 <93 bytes>");
    stage_close(&s);
}

TEST(fail, shows_the_error_in_debug_mode_only)
{
    static const tn_route routes[] = {{.path = "/", .function = return_error}, {.path = "/404", .function = raise_404}, {0}};
    stage s;
    stage_open_app(&s, tn_app_new(routes, .debug = true), NULL);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\nContent-Type: text/plain; charset=UTF-8\r\n");
    assert_has(raw, "\r\n\r\n500: Internal Server Error\n\nTN_EPATTERN: bad regular expression\n");
    assert_get(&s, "/404", "404 <69 bytes>");
    stage_close(&s);
}

static int flush_and_fail(tn_req *r)
{
    TN_TRY(tn_write(r, "half"));
    TN_TRY(tn_flush(r));
    return TN_EPATTERN;
}

TEST(fail, after_the_first_flush_ends_the_connection_and_never_writes_a_page)
{
    stage s;
    open_with(&s, flush_and_fail);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\n\r\n4\r\nhalf\r\n");
    assert_has_not(raw, "500");
    assert_has_not(raw, "0\r\n\r\n");
    assert_true(s.c.ended);
    assert_has(logged(&s), "E general: Cannot send error response after headers written\n");
    stage_close(&s);
}

static int finish_and_fail(tn_req *r)
{
    TN_TRY(tn_write(r, "whole"));
    TN_TRY(tn_finish(r));
    return TN_EPATTERN;
}

TEST(fail, after_a_whole_response_is_logged_and_does_not_disturb_it)
{
    stage s;
    open_with(&s, finish_and_fail);
    const char *heard = get(&s, "/");
    assert_has(heard, "200 whole");
    assert_has(logged(&s), "Uncaught error");
    stage_close(&s);
}

/* -- write_error -- */

static int page(tn_req *r, int status)
{
    leave("page %d", status);
    TN_TRY(tn_set_header(r, "X-Page", "mine"));
    return tn_printf(r, "my %d", status);
}

static int failing_page(tn_req *r, int status)
{
    leave("page %d", status);
    TN_TRY(tn_write(r, "never seen"));
    return TN_EPATTERN;
}

static int raising_page(tn_req *r, int status)
{
    leave("page %d", status);
    return tn_raise(r, 418, "another");
}

static int waiting_page(tn_req *r, int status)
{
    leave("page %d", status);
    TN_TRY(wait_at_gate(r));
    return tn_printf(r, "waited %d", status);
}

static int finishing_page(tn_req *r, int status)
{
    TN_TRY(tn_printf(r, "finished %d", status));
    return tn_finish_now(r);
}

static int other_status_page(tn_req *r, int status)
{
    TN_TRY(tn_set_status(r, 200, NULL));
    return tn_printf(r, "was %d", status);
}

static void assert_page(int (*write_error)(tn_req *, int), const char *expected)
{
    tn_handler handler = {.get = raise_404, .write_error = write_error};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &handler}, {0}});
    assert_get(&s, "/", expected);
    assert_get(&s, "/", expected);
    trail[0] = 0;
    stage_close(&s);
}

TEST(fail, page_is_the_handlers_where_it_has_one)
{
    assert_page(page, "404 my 404");
    assert_page(finishing_page, "404 finished 404");
    assert_page(other_status_page, "200 was 404");
}

TEST(fail, in_the_handlers_page_gets_ours)
{
    assert_page(failing_page, "404 <69 bytes>");
    assert_page(raising_page, "418 <85 bytes>");
}

TEST(fail, page_may_wait)
{
    static const tn_handler handler = {.get = return_error, .write_error = waiting_page};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &handler}, {0}});
    assert_get(&s, "/", "");
    open_gate(&s, 0);
    assert_heard(&s.c, "500 waited 500");
    assert_get(&s, "/", "");
    open_gate(&s, TN_EPATTERN);
    assert_heard(&s.c, "500 <93 bytes>");
    stage_close(&s);
}

static int bad_defaults(tn_req *r)
{
    leave("defaults");
    TN_TRY(tn_set_header(r, "X-Default", "1"));
    return TN_EPATTERN;
}

TEST(fail, in_the_default_headers_gets_our_page_without_them)
{
    static const tn_handler handler = {.get = raise_404, .set_default_headers = bad_defaults, .write_error = page};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &handler}, {0}});
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "HTTP/1.1 500 Internal Server Error\r\n");
    assert_has_not(raw, "X-Default");
    assert_trail("defaults defaults");
    assert_get(&s, "/", "500 <93 bytes>");
    stage_close(&s);
}

static int good_defaults(tn_req *r)
{
    return tn_set_header(r, "X-Default", "1");
}

TEST(fail, page_has_the_default_headers)
{
    static const tn_handler handler = {.get = raise_404, .set_default_headers = good_defaults};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &handler}, {0}});
    assert_has(get_raw(&s, "/"), "\r\nX-Default: 1\r\n");
    stage_close(&s);
}

TEST(fail, with_405_names_the_methods_that_there_are)
{
    static const tn_handler gets = {.get = raise_404}, posts = {.post = raise_404, .options = raise_404, .write_error = page};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/g", .handler = &gets}, {.path = "/p", .handler = &posts}, {0}});
    client_say(&s.c, "PUT /g HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(client_raw(&s.c), "\r\nAllow: GET, HEAD\r\n");
    client_say(&s.c, "BREW /p HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *raw = client_raw(&s.c);
    assert_has(raw, "HTTP/1.1 405 Method Not Allowed\r\n");
    assert_has(raw, "\r\nAllow: POST, OPTIONS\r\n");
    assert_has(raw, "\r\n\r\nmy 405");
    client_say(&s.c, "HEAD /p HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(client_raw(&s.c), "HTTP/1.1 405");
    stage_close(&s);
}

static int reason_with_markup(tn_req *r)
{
    TN_TRY(tn_set_status(r, 400, "a & b"));
    TN_TRY(tn_finish(r));
    return 0;
}

TEST(fail, page_holds_no_markup_of_the_clients)
{
    stage s;
    open_with(&s, reason_with_markup);
    get(&s, "/<script>");
    under_test = raise_404;
    const char *raw = get_raw(&s, "/%3Cscript%3E?<script>");
    assert_has_not(raw, "script");
    stage_close(&s);
}

static int exhaust(tn_req *r)
{
    while (tn_req_alloc(r, 100000)) continue;
    return TN_ENOMEM;
}

TEST(fail, when_the_memory_of_the_request_is_used_up_is_413)
{
    static const tn_route routes[] = {{.path = "/", .function = exhaust}, {0}};
    stage s;
    stage_open_app(&s, tn_app_new(routes), &(tn_http_opts){.body_bytes_max = 1000});
    assert_get(&s, "/", "413 <85 bytes>");
    stage_close(&s);
}
