/* The life of a request: the order of the steps, waiting in any of them, streamed bodies, and peers that leave. */
#include "web/web_test.h"

/* -- Steps that leave their names; each does besides what the test wants -- */

static tn_method *in_initialize, *in_prepare, *in_verb;
static int (*in_data)(tn_req *r);

static int set_default_headers(tn_req *r)
{
    leave("defaults");
    return tn_set_header(r, "X-Default", "1");
}

static int initialize(tn_req *r)
{
    leave("initialize");
    return in_initialize ? in_initialize(r) : 0;
}

static int prepare(tn_req *r)
{
    leave("prepare");
    return in_prepare ? in_prepare(r) : 0;
}

static int verb(tn_req *r)
{
    leave(TN_FMT, TN_ARG(tn_req_method(r)));
    if (in_verb) return in_verb(r);
    return tn_write(r, "body");
}

static int data_received(tn_req *r, tn_str piece)
{
    leave("[" TN_FMT "]", TN_ARG(piece));
    return in_data ? in_data(r) : 0;
}

static void on_finish(tn_req *r)
{
    leave("finished:%d", tn_get_status(r));
}

static void on_connection_close(tn_req *r)
{
    leave("closed:%s", tn_req_path(r).p);
}

static const tn_handler Plain = {
    .set_default_headers = set_default_headers,
    .initialize = initialize,
    .prepare = prepare,
    .get = verb,
    .post = verb,
    .put = verb,
    .patch = verb,
    .del = verb,
    .options = verb,
    .on_finish = on_finish,
    .on_connection_close = on_connection_close,
};
static const tn_handler Streaming = {.super = &Plain, .data_received = data_received};
static const tn_handler Cancelled = {.super = &Plain, .cancel_on_close = true};
static const tn_handler StreamingCancelled = {.super = &Streaming, .cancel_on_close = true};
static const tn_handler AnyMethod = {.super = &Plain, .any = verb};

static const tn_route routes[] = {
    {.path = "/plain", .handler = &Plain},         {.path = "/stream", .handler = &Streaming},
    {.path = "/cancelled", .handler = &Cancelled}, {.path = "/stream_cancelled", .handler = &StreamingCancelled},
    {.path = "/any", .handler = &AnyMethod},       {0},
};

static void open_stage(stage *s)
{
    in_initialize = in_prepare = in_verb = NULL;
    in_data = NULL;
    stage_open(s, routes);
}

#define POST(target, length) "POST " target " HTTP/1.1\r\nHost: x\r\nContent-Length: " length "\r\n\r\n"
#define CHUNKED(target) "POST " target " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

static int finish_early(tn_req *r)
{
    TN_TRY(tn_write(r, "early"));
    return tn_finish(r);
}

static int finish_now(tn_req *r)
{
    TN_TRY(tn_write(r, "now"));
    return tn_finish_now(r);
}

static int raise_401(tn_req *r)
{
    return tn_raise(r, 401, NULL);
}

static int wait_and_write(tn_req *r)
{
    TN_TRY(wait_at_gate(r));
    return tn_write(r, "waited");
}

static int wait_and_tell(tn_req *r)
{
    int result = wait_at_gate(r);
    leave("waited:%s", result < 0 ? tn_errname(result) : "ok");
    return result;
}

/* -- The order -- */

TEST(handler, is_called_in_the_order_of_its_life)
{
    stage s;
    open_stage(&s);
    assert_get(&s, "/plain", "200 body");
    assert_trail("defaults initialize prepare GET finished:200");
    assert_string_equal(ask(&s, POST("/plain", "3") "abc"), "200 body");
    assert_trail("defaults initialize prepare POST finished:200");
    stage_close(&s);
}

TEST(handler, answers_each_method_by_its_own_function)
{
    static const char *const methods[] = {"PUT", "PATCH", "DELETE", "OPTIONS"};
    stage s;
    open_stage(&s);
    for (size_t i = 0; i < 4; i++) {
        char expected[100];
        assert_string_equal(ask_for(&s, methods[i], "/plain"), "200 body");
        sprintf(expected, "defaults initialize prepare %s finished:200", methods[i]);
        assert_trail(expected);
    }
    assert_string_equal(ask_for(&s, "HEAD", "/plain"), "200");
    assert_trail("defaults initialize prepare HEAD finished:200");
    assert_string_equal(ask_for(&s, "BREW", "/any"), "200 body");
    assert_trail("defaults initialize prepare BREW finished:200");
    assert_string_equal(ask_for(&s, "BREW", "/plain"), "405 <87 bytes>");
    assert_trail("defaults defaults finished:405");
    stage_close(&s);
}

TEST(handler, answers_options_of_the_server_without_a_route)
{
    stage s;
    open_stage(&s);
    client_say(&s.c, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *raw = client_raw(&s.c);
    assert_has(raw, "HTTP/1.1 204 No Content\r\n");
    assert_has(raw, "\r\nAllow: ");
    stage_close(&s);
}

TEST(handler, that_raises_early_skips_the_rest_of_its_life)
{
    stage s;
    open_stage(&s);
    in_initialize = raise_401;
    assert_get(&s, "/plain", "401 <75 bytes>");
    assert_trail("defaults initialize defaults finished:401");
    in_initialize = NULL;
    in_prepare = raise_401;
    assert_get(&s, "/plain", "401 <75 bytes>");
    assert_trail("defaults initialize prepare defaults finished:401");
    stage_close(&s);
}

TEST(handler, that_finishes_early_skips_the_rest_of_its_life)
{
    stage s;
    open_stage(&s);
    in_prepare = finish_early;
    assert_get(&s, "/plain", "200 early");
    assert_trail("defaults initialize prepare finished:200");
    in_prepare = finish_now;
    assert_get(&s, "/plain", "200 now");
    assert_trail("defaults initialize prepare finished:200");
    in_prepare = NULL;
    in_verb = finish_now;
    assert_get(&s, "/plain", "200 now");
    assert_trail("defaults initialize prepare GET finished:200");
    stage_close(&s);
}

static int return_a_count(tn_req *r)
{
    TN_TRY(tn_write(r, "counted"));
    return 42;
}

static int return_one(tn_req *r)
{
    TN_TRY(tn_write(r, "one"));
    return TN__PENDING; /* which is 1: no signal to us when a handler returns it */
}

TEST(handler, may_return_a_count)
{
    stage s;
    open_stage(&s);
    in_verb = in_prepare = return_a_count;
    assert_get(&s, "/plain", "200 countedcounted");
    in_verb = in_prepare = return_one;
    assert_get(&s, "/plain", "200 oneone");
    stage_close(&s);
}

/* -- Waiting -- */

TEST(handler, may_wait_in_prepare_and_in_its_verb)
{
    stage s;
    open_stage(&s);
    in_prepare = in_verb = wait_and_write;
    assert_get(&s, "/plain", "");
    assert_trail("defaults initialize prepare");
    open_gate(&s, 0);
    assert_trail("GET");
    assert_heard(&s.c, "");
    open_gate(&s, 0);
    assert_heard(&s.c, "200 waitedwaited");
    assert_trail("finished:200");
    stage_close(&s);
}

TEST(handler, that_waited_and_failed_is_answered)
{
    stage s;
    open_stage(&s);
    in_verb = wait_and_write;
    get(&s, "/plain");
    open_gate(&s, TN_EPATTERN);
    assert_heard(&s.c, "500 <93 bytes>");
    in_prepare = wait_and_write;
    get(&s, "/plain");
    open_gate(&s, TN_EPATTERN);
    assert_heard(&s.c, "500 <93 bytes>");
    stage_close(&s);
}

static int wait_and_finish(tn_req *r)
{
    TN_TRY(wait_and_write(r));
    return tn_finish_now(r);
}

TEST(handler, that_waits_in_prepare_may_finish_there)
{
    stage s;
    open_stage(&s);
    in_prepare = wait_and_finish;
    get(&s, "/plain");
    open_gate(&s, 0);
    assert_heard(&s.c, "200 waited");
    assert_trail("defaults initialize prepare finished:200");
    stage_close(&s);
}

static int finish_and_wait(tn_req *r)
{
    TN_TRY(finish_early(r));
    TN_TRY(wait_at_gate(r));
    leave("after");
    return tn_write(r, "too late") == TN_EMISUSE ? 0 : TN_EINVAL;
}

TEST(handler, may_go_on_after_it_has_finished)
{
    stage s;
    open_stage(&s);
    in_verb = finish_and_wait;
    client_say(&s.c, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\nGET /any HTTP/1.1\r\nHost: x\r\n\r\n");
    test_turns(s.loop, STAGE_TURNS);
    assert_heard(&s.c, "200 early");
    assert_trail("defaults initialize prepare GET");
    in_verb = NULL;
    open_gate(&s, 0); /* its request is not over before it is */
    assert_heard(&s.c, "200 body");
    assert_trail("after finished:200 defaults initialize prepare GET finished:200");
    stage_close(&s);
}

TEST(handler, that_waits_does_not_hold_others_up)
{
    stage s;
    open_stage(&s);
    in_verb = wait_and_write;
    get(&s, "/plain");
    tn_future *first = gate;
    client c = s.c;
    s.c.fd = -1;
    s.c.in = NULL;
    stage_connect(&s);
    in_verb = NULL;
    assert_get(&s, "/any", "200 body");
    gate = first;
    open_gate(&s, 0);
    assert_heard(&c, "200 waited");
    client_done(&c);
    stage_close(&s);
}

/* -- Streamed bodies -- */

TEST(handler, that_streams_gets_the_body_before_its_verb)
{
    stage s;
    open_stage(&s);
    assert_string_equal(ask(&s, POST("/stream", "6") "abc"), "");
    assert_trail("defaults initialize prepare [abc]");
    assert_string_equal(ask(&s, "def"), "200 body");
    assert_trail("[def] POST finished:200");
    assert_string_equal(ask(&s, CHUNKED("/stream") "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), "200 body");
    assert_trail("defaults initialize prepare [a] [bc] POST finished:200");
    stage_close(&s);
}

TEST(handler, that_streams_needs_no_body)
{
    stage s;
    open_stage(&s);
    assert_get(&s, "/stream", "200 body");
    assert_trail("defaults initialize prepare GET finished:200");
    assert_get(&s, "/stream", "200 body"); /* on the same connection */
    in_verb = wait_and_write;
    assert_get(&s, "/stream", "");
    open_gate(&s, 0);
    assert_heard(&s.c, "200 waited");
    stage_close(&s);
}

TEST(handler, that_streams_is_prepared_before_the_body_is_read)
{
    stage s;
    open_stage(&s);
    in_prepare = wait_and_tell;
    assert_string_equal(ask(&s, "POST /stream HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"), "");
    assert_trail("defaults initialize prepare");
    open_gate(&s, 0);
    assert_heard(&s.c, "100");
    assert_string_equal(ask(&s, "abc"), "200 body");
    assert_trail("waited:ok [abc] POST finished:200");
    stage_close(&s);
}

TEST(handler, that_streams_and_waits_reads_no_further)
{
    stage s;
    open_stage(&s);
    in_data = wait_and_tell;
    assert_string_equal(ask(&s, CHUNKED("/stream") "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), "");
    assert_trail("defaults initialize prepare [a]");
    open_gate(&s, 0);
    assert_trail("waited:ok [bc]");
    open_gate(&s, 0);
    assert_heard(&s.c, "200 body");
    assert_trail("waited:ok POST finished:200");
    stage_close(&s);
}

static int read_after_waiting(tn_req *r)
{
    (void)r;
    return wait_at_gate(r);
}

static int check_piece(tn_req *r, tn_str piece)
{
    const char *p = piece.p;
    size_t n = piece.n;
    TN_TRY(read_after_waiting(r));
    for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 'x');
    leave("%zu", n);
    return 0;
}

TEST(handler, has_its_piece_as_long_as_it_waits)
{
    static const tn_handler Checking = {.post = verb, .data_received = check_piece};
    stage s;
    in_verb = NULL;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Checking}, {.path = "/other", .handler = &Plain}, {0}});
    ask(&s, POST("/", "20") "xxxxxxxxxxxxxxxxxxxx");
    client c = s.c;
    s.c.fd = -1;
    s.c.in = NULL;
    stage_connect(&s);
    tn_future *first = gate;
    in_prepare = in_initialize = NULL;
    get(&s, "/other?yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
    trail[0] = 0;
    gate = first;
    open_gate(&s, 0);
    assert_heard(&c, "200 body");
    assert_trail("20 POST");
    client_done(&c);
    stage_close(&s);
}

TEST(handler, that_streams_and_fails_answers_at_once_and_closes)
{
    stage s;
    open_stage(&s);
    in_data = raise_401;
    assert_string_equal(ask(&s, POST("/stream", "6") "abc"), "401 <75 bytes> (close)|end");
    assert_trail("defaults initialize prepare [abc] defaults finished:401");
    stage_close(&s);
}

TEST(handler, that_streams_and_finishes_answers_at_once_and_closes)
{
    stage s;
    open_stage(&s);
    in_data = finish_early;
    assert_string_equal(ask(&s, POST("/stream", "6") "abc"), "200 early (close)|end");
    assert_trail("defaults initialize prepare [abc] finished:200");
    stage_connect(&s);
    in_prepare = finish_now;
    assert_string_equal(ask(&s, POST("/stream", "6") "abc"), "200 now (close)|end");
    assert_trail("defaults initialize prepare finished:200");
    stage_connect(&s);
    in_prepare = wait_and_finish;
    ask(&s, POST("/stream", "6") "abc");
    open_gate(&s, 0);
    assert_heard(&s.c, "200 waited (close)|end");
    stage_close(&s);
}

static int wait_in_error(tn_req *r, int status)
{
    leave("page");
    TN_TRY(wait_at_gate(r));
    return tn_printf(r, "waited %d", status);
}

TEST(handler, that_streams_and_fails_may_take_its_time_for_the_page)
{
    static const tn_handler Slow = {.super = &Streaming, .write_error = wait_in_error};
    stage s;
    open_stage(&s);
    stage_close(&s);
    in_data = raise_401;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Slow}, {0}});
    assert_string_equal(ask(&s, POST("/", "6") "abc"), "");
    assert_string_equal(ask(&s, "def"), ""); /* the request is complete, and the page is not */
    open_gate(&s, 0);
    assert_heard(&s.c, "401 waited 401 (close)|end");
    assert_trail("defaults initialize prepare [abc] defaults page finished:401");
    stage_close(&s);
}

/* -- Peers that leave -- */

TEST(handler, is_told_that_the_peer_left_and_goes_on)
{
    stage s;
    open_stage(&s);
    in_verb = wait_and_tell;
    get(&s, "/plain");
    client_half_close(&s.c);
    test_turns(s.loop, STAGE_TURNS);
    assert_trail("defaults initialize prepare GET closed:/plain");
    open_gate(&s, 0);
    assert_heard(&s.c, "200|end");
    assert_trail("waited:ok finished:200");
    stage_close(&s);
}

TEST(handler, may_opt_for_being_cancelled_when_the_peer_leaves)
{
    stage s;
    open_stage(&s);
    in_verb = wait_and_tell;
    get(&s, "/cancelled");
    client_leave(&s.c);
    test_turns(s.loop, STAGE_TURNS);
    assert_trail("defaults initialize prepare GET closed:/cancelled waited:ECANCELED finished:200");
    assert_has_not(logged(&s), "error"); /* that is nobody's fault */
    assert_int_equal(s.server->connections_n, 0);
    stage_connect(&s);
    in_prepare = wait_and_tell;
    in_verb = NULL;
    get(&s, "/cancelled");
    client_leave(&s.c);
    test_turns(s.loop, STAGE_TURNS);
    assert_trail("defaults initialize prepare closed:/cancelled waited:ECANCELED finished:200");
    stage_close(&s);
}

TEST(handler, whose_streamed_request_breaks_off_is_told)
{
    stage s;
    open_stage(&s);
    ask(&s, POST("/stream", "6") "abc");
    client_leave(&s.c);
    assert_trail("defaults initialize prepare [abc] closed:/stream finished:200");
    assert_int_equal(s.server->connections_n, 0);
    stage_close(&s);
}

TEST(handler, whose_streamed_request_breaks_off_while_it_waits_is_told_when_it_would_read_on)
{
    stage s;
    open_stage(&s);
    in_data = wait_and_tell;
    ask(&s, POST("/stream", "6") "abc");
    client_leave(&s.c);
    assert_trail("defaults initialize prepare [abc]"); /* the rest may still lie in the system's buffer */
    open_gate(&s, 0);
    assert_trail("waited:ok closed:/stream finished:200");
    assert_int_equal(s.server->connections_n, 0);
    stage_close(&s);
}

TEST(handler, whose_streamed_request_is_whole_is_told_once_that_the_peer_left)
{
    stage s;
    open_stage(&s);
    in_verb = wait_and_tell;
    ask(&s, POST("/stream_cancelled", "3") "abc");
    client_leave(&s.c);
    test_turns(s.loop, STAGE_TURNS);
    assert_trail("defaults initialize prepare [abc] POST closed:/stream_cancelled waited:ECANCELED finished:200");
    assert_int_equal(s.server->connections_n, 0);
    assert_has_not(logged(&s), "rror");
    stage_close(&s);
}

TEST(handler, whose_streamed_request_turns_out_bad_is_told)
{
    stage s;
    open_stage(&s);
    assert_string_equal(ask(&s, CHUNKED("/stream") "1\r\na\r\nx\r\n"), "400 <73 bytes> (close)|end");
    assert_trail("defaults initialize prepare [a] closed:/stream finished:200");
    stage_close(&s);
}

TEST(handler, is_not_called_for_a_collected_request_that_breaks_off)
{
    stage s;
    open_stage(&s);
    ask(&s, POST("/plain", "6") "abc");
    client_leave(&s.c);
    assert_trail("");
    assert_int_equal(s.server->connections_n, 0);
    stage_close(&s);
}

TEST(handler, runs_to_its_end_when_the_server_goes_under_it)
{
    stage s;
    open_stage(&s);
    in_verb = wait_and_tell;
    get(&s, "/plain");
    tn__http_server_free(s.server);
    client_done(&s.c);
    tn_loop_free(s.loop);
    tn_app_free(s.app);
    assert_trail("defaults initialize prepare GET closed:/plain waited:ECANCELED finished:200");
    tn_future_unref(gate);
    gate = NULL;
}

/* -- Memory -- */

TEST(handler, without_memory_answers_or_closes_and_serves_again_afterwards)
{
    static const char *const requests[] = {
        "GET /plain HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n\r\n",
        POST("/stream", "3") "abc",
        "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
        "BREW /plain HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        bool failed = true;
        for (long n = 0; failed; n++) {
            stage s;
            open_stage(&s);
            tn__alloc_fail_after(n, false);
            const char *heard = ask(&s, requests[i]);
            failed = tn__alloc_count() > n;
            tn__alloc_fail_after(-1, false);
            bool whole = heard[0] && !strstr(heard, "+");
            if (!whole && !s.c.ended && !s.c.broken) fail_msg("allocation %ld: \"%s\"", n, heard);
            stage_connect(&s);
            assert_get(&s, "/plain", "200 body");
            stage_close(&s);
        }
    }
}
