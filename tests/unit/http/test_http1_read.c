/* What arrives on a connection: requests one by one, pipelined and byte by byte, and their bodies, collected or streamed. */
#include "http/http1_test.h"

/* -- Requests -- */

LOOP_TEST(http1, answers_a_request_and_keeps_the_connection)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, HELLO);
    assert_string_equal(told(s), "headers /hello;complete;");
    assert_heard(&s->c, "200 /hello");
    client_say(&s->c, OTHER);
    assert_heard(&s->c, "200 /other");
    site_close(s);
}

LOOP_TEST(http1, answers_pipelined_requests_in_order)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, HELLO OTHER POST("/p:") "abcdef" CHUNKED "3\r\nabc\r\n0\r\n\r\n" HELLO);
    assert_heard(&s->c, "200 /hello|200 /other|200 /p:abcdef|200 /pabc|200 /hello");
    site_close(s);
}

LOOP_TEST(http1, begins_no_request_before_the_one_ahead_of_it_is_answered)
{
    site *s = site_open(loop, NULL);
    s->later = true;
    client_say(&s->c, HELLO OTHER);
    assert_string_equal(told(s), "headers /hello;complete;");
    answer(s);
    assert_string_equal(told(s), ""); /* never inside the answer to the one before */
    test_turns(loop, 3);
    assert_string_equal(told(s), "headers /other;complete;");
    assert_heard(&s->c, "200 /hello");
    answer(s);
    test_turns(loop, 1);
    assert_heard(&s->c, "200 /other");
    site_close(s);
}

LOOP_TEST(http1, takes_requests_that_come_byte_by_byte)
{
    site *s = site_open(loop, NULL);
    const char *text = HELLO CHUNKED "3;x=y\r\nabc\r\n0\r\nT: t\r\n\r\n" POST("/q") "abcdef";
    for (const char *p = text; *p; p++) client_send(&s->c, p, 1);
    assert_heard(&s->c, "200 /hello|200 /pabc|200 /qabcdef");
    site_close(s);
}

LOOP_TEST(http1, skips_blank_lines_before_a_request)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, "\r\n\r\n" HELLO "\r\n");
    client_say(&s->c, OTHER);
    assert_heard(&s->c, "200 /hello|200 /other");
    site_close(s);
}

LOOP_TEST(http1, closes_after_the_response_when_asked_to)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_heard(&s->c, "200 /a (close)|end");
    site_close(s);
}

LOOP_TEST(http1, answers_nothing_behind_a_request_that_asked_to_close)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" HELLO);
    assert_string_equal(told(s), "headers /a;complete;");
    assert_heard(&s->c, "200 /a (close)|end");
    site_close(s);
}

LOOP_TEST(http1, closes_after_http_1_0_unless_it_asks_to_stay)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const char *raw = client_raw(&s->c);
    assert_non_null(strstr(raw, "\r\nConnection: keep-alive\r\n"));
    client_say(&s->c, "GET /b HTTP/1.0\r\n\r\n");
    assert_heard(&s->c, "200 /b (close)|end");
    site_close(s);
}

LOOP_TEST(http1, closes_after_every_response_when_keep_alive_is_off)
{
    site *s = site_open(loop, &(tn_http_opts){.no_keep_alive = true});
    client_say(&s->c, HELLO);
    assert_heard(&s->c, "200 /hello (close)|end");
    site_close(s);
}

/* -- Bodies -- */

LOOP_TEST(http1, collects_a_body_that_comes_in_pieces_and_ends_it_with_a_nul)
{
    site *s = site_open(loop, NULL);
    s->later = true;
    client_say(&s->c, POST("/p"));
    assert_string_equal(told(s), "headers /p;");
    client_say(&s->c, "abc");
    client_say(&s->c, "def");
    assert_string_equal(told(s), "complete;");
    assert_str(s->x->body, "abcdef");
    assert_int_equal(s->x->body.p[6], 0);
    answer(s);
    site_close(s);
}

LOOP_TEST(http1, gives_an_empty_body_that_can_be_read)
{
    site *s = site_open(loop, NULL);
    s->later = true;
    client_say(&s->c, HELLO);
    assert_int_equal(s->x->body.n, 0);
    assert_string_equal(s->x->body.p, "");
    answer(s);
    test_turns(loop, 1);
    client_say(&s->c, CHUNKED "0\r\n\r\n");
    assert_string_equal(s->x->body.p, "");
    answer(s);
    site_close(s);
}

LOOP_TEST(http1, hands_a_streamed_body_on_as_it_comes)
{
    site *s = site_open(loop, NULL);
    s->stream = true;
    client_say(&s->c, POST("/p") "abc");
    client_say(&s->c, "def" HELLO);
    assert_string_equal(told(s), "headers /p;chunk abc;chunk def;complete;headers /hello;complete;");
    client_say(&s->c, CHUNKED "2\r\nab\r\n1\r");
    client_say(&s->c, "\nc\r\n0\r\n\r\n");
    assert_string_equal(told(s), "headers /p;chunk ab;chunk c;complete;");
    assert_heard(&s->c, "200 /pabcdef|200 /hello|200 /pabc");
    site_close(s);
}

LOOP_TEST(http1, reads_no_further_than_a_chunk_that_waits)
{
    site *s = site_open(loop, NULL);
    s->stream = s->park_chunks = true;
    client_say(&s->c, CHUNKED "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n" HELLO);
    assert_string_equal(told(s), "headers /p;chunk ab;");
    tn__http1_go_on(s->x);
    assert_string_equal(told(s), "");
    test_turns(loop, 2);
    assert_string_equal(told(s), "chunk cd;");
    s->park_chunks = false;
    tn__http1_go_on(s->x);
    test_turns(loop, 2);
    assert_string_equal(told(s), "complete;headers /hello;complete;");
    assert_heard(&s->c, "200 /pabcd|200 /hello");
    site_close(s);
}

LOOP_TEST(http1, keeps_a_chunk_that_waits_valid)
{
    site *s = site_open(loop, NULL), *other = site_open(loop, NULL);
    s->stream = s->park_chunks = true;
    client_say(&s->c, POST("/p") "abcdef");
    client_say(&other->c, POST("/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") "xxxxxx");
    assert_non_null(s->x->conn->held);
    assert_ptr_not_equal(s->x->conn->held, loop->recv_buf);
    assert_non_null(memmem(s->x->conn->held, TN__RECV_BYTES, "abcdef", 6));
    tn__http1_go_on(s->x); /* the last chunk: the request is complete, inside this call */
    assert_string_equal(told(s), "headers /p;chunk abcdef;complete;");
    test_turns(loop, 1);
    assert_heard(&s->c, "200 /pabcdef");
    site_close(s);
    site_close(other);
}

LOOP_TEST(http1, reads_no_body_before_headers_that_wait_have_gone_on)
{
    site *s = site_open(loop, NULL);
    s->park_headers = true;
    client_say(&s->c, POST("/p") "abcdef" HELLO);
    assert_string_equal(told(s), "headers /p;");
    s->park_headers = false;
    tn__http1_go_on(s->x);
    test_turns(loop, 2);
    assert_string_equal(told(s), "complete;headers /hello;complete;");
    assert_heard(&s->c, "200 /pabcdef|200 /hello");
    site_close(s);
}

LOOP_TEST(http1, going_on_without_a_body_completes_the_request)
{
    site *s = site_open(loop, NULL);
    s->park_headers = true;
    client_say(&s->c, HELLO);
    tn__http1_go_on(s->x);
    test_turns(loop, 1);
    assert_string_equal(told(s), "headers /hello;complete;");
    assert_heard(&s->c, "200 /hello");
    site_close(s);
}

LOOP_TEST(http1, asks_for_a_body_only_when_it_is_wanted)
{
    site *s = site_open(loop, NULL);
    s->park_headers = true;
    client_say(&s->c, "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_heard(&s->c, "");
    tn__http1_go_on(s->x);
    test_turns(loop, 2);
    assert_heard(&s->c, "100");
    client_say(&s->c, "abc");
    assert_heard(&s->c, "200 /pabc");
    site_close(s);
}

LOOP_TEST(http1, does_not_ask_for_a_body_that_is_there_already)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    assert_heard(&s->c, "200 /pabc");
    site_close(s);
}
