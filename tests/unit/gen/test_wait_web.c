/* tn_flush and its twin: chunks, lengths, flow control, and peers that do not read or have left. */
#include "web/web_test.h"

static tn_method *under_test;

static int run_it(tn_req *r)
{
    int result = under_test(r);
    leave("%s", result < 0 ? tn_errname(result) : "ok");
    return result;
}

static void open_with(stage *s, tn_method *function)
{
    under_test = function;
    stage_open_function(s, run_it);
}

static int three_pieces(tn_req *r)
{
    static const char *const pieces[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++) {
        TN_TRY(tn_write(r, pieces[i]));
        TN_TRY(tn_flush(r));
    }
    return 0;
}

TEST(flush, sends_each_piece_as_a_chunk)
{
    stage s;
    open_with(&s, three_pieces);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
    assert_has_not(raw, "Etag");
    assert_has_not(raw, "Content-Length");
    assert_get(&s, "/", "200 onetwothree");
    assert_trail("ok ok");
    stage_close(&s);
}

TEST(flush, ends_an_http_1_0_response_with_the_connection)
{
    stage s;
    open_with(&s, three_pieces);
    assert_string_equal(ask(&s, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "200 onetwothree (close)|end");
    stage_close(&s);
}

TEST(flush, sends_no_body_to_head)
{
    stage s;
    open_with(&s, three_pieces);
    assert_string_equal(ask_for(&s, "HEAD", "/"), "200");
    assert_get(&s, "/", "200 onetwothree");
    stage_close(&s);
}

static void leave_other(void *arg)
{
    (void)arg;
    leave("other");
}

static int without_end(tn_req *r)
{
    tn_loop_add_callback(tn_req_loop(r), leave_other, NULL);
    for (int i = 1; i <= 5; i++) {
        leave("%d", i);
        test_now_ns += TN__TURN_NS / 2; /* with the third piece the time of the turn is over; its end brings the fourth */
        TN_TRY(tn_write(r, "x"));
        TN_TRY(tn_flush(r));
    }
    leave("last");
    return 0;
}

TEST(flush, lets_others_have_their_turn_when_the_peer_takes_everything)
{
    stage s;
    open_with(&s, without_end);
    tn_loop_set_clock(s.loop, test_clock, NULL);
    assert_get(&s, "/", "200 xxxxx");
    assert_trail("1 2 3 4 other 5 last ok");
    stage_close(&s);
}

static int with_length(tn_req *r)
{
    TN_TRY(tn_set_content_length(r, 11));
    return three_pieces(r);
}

static int with_long_length(tn_req *r)
{
    TN_TRY(tn_set_content_length(r, 12));
    return three_pieces(r);
}

static int with_short_length(tn_req *r)
{
    TN_TRY(tn_set_content_length(r, 5));
    return three_pieces(r);
}

TEST(flush, sends_plainly_where_the_length_was_told)
{
    stage s;
    open_with(&s, with_length);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\nContent-Length: 11\r\n\r\nonetwothree");
    stage_close(&s);
}

TEST(flush, ends_the_connection_where_the_length_was_a_lie)
{
    stage s;
    open_with(&s, with_long_length);
    assert_has(get_raw(&s, "/"), "\r\nContent-Length: 12\r\n\r\nonetwothree");
    assert_true(s.c.ended);
    assert_trail("ok"); /* it was found when the handler had returned */
    assert_has(logged(&s), "Uncaught error");
    under_test = with_short_length;
    stage_connect(&s);
    assert_has_not(get_raw(&s, "/"), "onetwo");
    assert_true(s.c.ended || s.c.broken);
    assert_trail("TN_ETOOBIG");
    stage_close(&s);
}

static int nothing_written(tn_req *r)
{
    TN_TRY(tn_flush(r));
    leave("flushed");
    TN_TRY(tn_flush(r));
    assert_int_equal(tn_set_header(r, "X-Late", "1"), TN_EHEADERS);
    assert_int_equal(tn_set_status(r, 500, NULL), TN_EHEADERS);
    return wait_at_gate(r);
}

TEST(flush, of_nothing_sends_the_head)
{
    stage s;
    open_with(&s, nothing_written);
    assert_has(get_raw(&s, "/"), "HTTP/1.1 200 OK\r\n");
    assert_trail("flushed");
    open_gate(&s, 0);
    assert_string_equal(client_raw(&s.c), "0\r\n\r\n");
    stage_close(&s);
}

static int no_content(tn_req *r)
{
    TN_TRY(tn_set_status(r, 204, NULL));
    return three_pieces(r);
}

TEST(flush, of_204_sends_no_body)
{
    stage s;
    open_with(&s, no_content);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "HTTP/1.1 204 No Content\r\n");
    assert_has_not(raw, "one");
    assert_has_not(raw, "Transfer-Encoding");
    assert_get(&s, "/", "204");
    stage_close(&s);
}

static int after_finish(tn_req *r)
{
    TN_TRY(tn_finish(r));
    assert_int_equal(tn_flush(r), TN_EMISUSE);
    tn_future *f = tn_flush_start(r);
    assert_int_equal(tn_await(f), TN_EMISUSE);
    return 0;
}

TEST(flush, after_the_end_is_a_mistake)
{
    stage s;
    open_with(&s, after_finish);
    assert_get(&s, "/", "200");
    assert_trail("ok");
    stage_close(&s);
}

/* -- Flow control -- */

enum { PIECE = 100000, PIECES = 30 };
static int flushed;

static int write_much(tn_req *r)
{
    static char piece[PIECE];
    for (flushed = 0; flushed < PIECES; flushed++) {
        TN_TRY(tn_write(r, tn_str_of(piece, PIECE)));
        TN_TRY(tn_flush(r));
    }
    return 0;
}

TEST(flush, waits_for_a_peer_that_does_not_read)
{
    stage s;
    open_with(&s, write_much);
    client_say(&s.c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    test_turns(s.loop, 100);
    assert_true(flushed > 0 && flushed < PIECES / 2);
    tn__http1 *c = TN__OWNER(s.server->connections.next, tn__http1, node);
    assert_true(c->stream.out_bytes <= PIECE + 1000);
    for (int i = 0; flushed < PIECES && i < 10000; i++) client_read(&s.c);
    test_turns(s.loop, STAGE_TURNS);
    assert_heard(&s.c, "200 <3000000 bytes>");
    assert_trail("ok");
    stage_close(&s);
}

TEST(flush, fails_when_the_peer_has_left)
{
    stage s;
    open_with(&s, write_much);
    client_say(&s.c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client_leave(&s.c);
    test_turns(s.loop, STAGE_TURNS);
    assert_trail("TN_ECLOSED");
    assert_has_not(logged(&s), "rror");
    assert_int_equal(s.server->connections_n, 0);
    stage_close(&s);
}

static int two_at_once(tn_req *r)
{
    static char piece[10 * PIECE];
    TN_TRY(tn_set_content_length(r, sizeof piece + 3));
    TN_TRY(tn_write(r, tn_str_of(piece, sizeof piece)));
    tn_future *first = tn_flush_start(r);
    assert_false(tn_future_done(first));
    TN_TRY(tn_write(r, "end"));
    TN_TRY(tn_await(first));
    leave("first");
    return 0;
}

TEST(flush, may_go_on_while_the_handler_does_something_else)
{
    stage s;
    open_with(&s, two_at_once);
    client_say(&s.c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_trail("");
    for (int i = 0; !trail[0] && i < 1000; i++) client_read(&s.c);
    assert_heard(&s.c, "200 <1000003 bytes>");
    assert_trail("first ok");
    stage_close(&s);
}

static int unwanted(tn_req *r)
{
    static char piece[10 * PIECE];
    TN_TRY(tn_write(r, tn_str_of(piece, sizeof piece)));
    tn_future_unref(tn_flush_start(r));
    return 0;
}

TEST(flush, that_nobody_waits_for_is_done_all_the_same)
{
    stage s;
    open_with(&s, unwanted);
    for (int i = 0; i < 2; i++) {
        client_say(&s.c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_heard(&s.c, "200 <1000000 bytes>");
    }
    stage_close(&s);
}

TEST(flush, outside_a_coroutine_is_a_mistake_but_its_twin_is_not)
{
    stage s;
    open_with(&s, nothing_written);
    get(&s, "/");
    tn_req *r = TN__OWNER(s.server->connections.next, tn__http1, node)->exchange->user;
#if !TN_DEBUG_CHECKS
    assert_int_equal(tn_flush(r), TN_EMISUSE);
#endif
    assert_int_equal(tn_write(r, "x"), TN_OK);
    tn_future *f = tn_flush_start(r);
    test_turns(s.loop, 2);
    assert_int_equal(tn_future_result(f), TN_OK);
    tn_future_unref(f);
    assert_string_equal(client_raw(&s.c), "1\r\nx\r\n");
    open_gate(&s, 0);
    stage_close(&s);
}
