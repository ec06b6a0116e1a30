/* Answers that come before the request is whole, and what is refused: complete, closing, and the last thing that is said. */
#include "http/http1_test.h"

LOOP_TEST(http1, answered_before_the_body_has_come_closes)
{
    site *s = site_open(loop, NULL);
    s->answer_in_headers = true;
    client_say(&s->c, POST("/p") "abc");
    assert_string_equal(told(s), "headers /p;");
    assert_heard(&s->c, "200 /p (close)|end"); /* the end of our side; the rest is awaited and thrown away */
    client_say(&s->c, "def" HELLO);
    assert_string_equal(told(s), "");
    client_half_close(&s->c);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, answered_in_headers_without_a_body_goes_on)
{
    site *s = site_open(loop, NULL);
    s->answer_in_headers = true;
    client_say(&s->c, HELLO OTHER);
    assert_heard(&s->c, "200 /hello|200 /other");
    site_close(s);
}

LOOP_TEST(http1, answered_while_a_chunk_waits_closes)
{
    site *s = site_open(loop, NULL);
    s->stream = s->park_chunks = true;
    client_say(&s->c, POST("/p") "abc");
    answer(s);
    test_turns(loop, 2);
    assert_heard(&s->c, "200 /pabc (close)|end");
    client_half_close(&s->c);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, whose_application_has_no_memory_answers_503)
{
    site *s = site_open(loop, NULL);
    s->fail_headers = TN_ENOMEM;
    client_say(&s->c, HELLO OTHER);
    assert_string_equal(told(s), "headers /hello;aborted;");
    assert_heard(&s->c, "503 <89 bytes> (close)|end");
    site_close(s);
}

LOOP_TEST(http1, refuses_a_bad_head_and_answers_nothing_behind_it)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, HELLO "GET / HTTP/1.1\r\nHost : x\r\n\r\n" OTHER);
    assert_string_equal(told(s), "headers /hello;complete;");
    assert_heard(&s->c, "200 /hello|400 <73 bytes> (close)|end");
    client_say(&s->c, OTHER);
    assert_string_equal(told(s), "");
    site_close(s);
}

LOOP_TEST(http1, refuses_a_bad_chunk_and_takes_the_exchange_away)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, CHUNKED "2\r\nabc\r\n0\r\n\r\n" OTHER);
    assert_string_equal(told(s), "headers /p;aborted;");
    assert_heard(&s->c, "400 <73 bytes> (close)|end");
    site_close(s);
}

LOOP_TEST(http1, refuses_a_body_that_ends_too_early)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, POST("/p") "abc");
    client_half_close(&s->c);
    assert_string_equal(told(s), "headers /p;aborted;");
    assert_heard(&s->c, "400 <73 bytes> (close)|end");
    site_close(s);
}

LOOP_TEST(http1, refuses_a_length_beyond_the_limit_and_takes_one_at_the_limit)
{
    site *s = site_open(loop, &(tn_http_opts){.body_bytes_max = 6});
    client_say(&s->c, POST("/p") "abcdef");
    assert_heard(&s->c, "200 /pabcdef");
    client_say(&s->c, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nabcdefg");
    assert_heard(&s->c, "413 <85 bytes> (close)|end");
    site_close(s);
}

LOOP_TEST(http1, refuses_chunks_beyond_the_limit_and_takes_some_at_the_limit)
{
    site *s = site_open(loop, &(tn_http_opts){.body_bytes_max = 6});
    client_say(&s->c, CHUNKED "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
    assert_heard(&s->c, "200 /pabcdef");
    client_say(&s->c, CHUNKED "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    assert_heard(&s->c, "413 <85 bytes> (close)|end");
    site_close(s);
}

LOOP_TEST(http1, holds_a_body_to_the_limit_that_headers_has_set_for_it)
{
    site *s = site_open(loop, &(tn_http_opts){.body_bytes_max = 6});
    s->body_bytes_max = 8;
    client_say(&s->c, CHUNKED "8\r\nabcdefgh\r\n0\r\n\r\n");
    assert_heard(&s->c, "200 /pabcdefgh");
    s->body_bytes_max = 4;
    client_say(&s->c, CHUNKED "5\r\nabcde\r\n0\r\n\r\n");
    assert_heard(&s->c, "413 <85 bytes> (close)|end");
    site_close(s);
}

LOOP_TEST(http1, throws_away_no_more_than_a_mebibyte_behind_its_last_word)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, "GET / HTTP/1.1\r\nHost : x\r\n\r\n");
    assert_heard(&s->c, "400 <73 bytes> (close)|end");
    static char junk[1 << 16];
    for (int i = 0; i < 16; i++) client_send(&s->c, junk, sizeof junk);
    assert_false(tn__list_empty(&s->server->connections));
    assert_int_equal(send(s->c.fd, "xx", 2, MSG_NOSIGNAL), 2);
    test_turns(loop, 3);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, keeps_an_abandoned_exchange_until_the_application_lets_go)
{
    site *s = site_open(loop, NULL);
    s->stream = s->keep = true;
    client_say(&s->c, CHUNKED "1\r\na\r\nx\r\n");
    assert_string_equal(told(s), "headers /p;chunk a;aborted;");
    tn__exchange *x = s->x;
    assert_true(x->broken);
    assert_int_equal(tn__http1_head(x, &(tn__response_head){.status = 200, .content_length = 0}), TN_ECLOSED);
    assert_int_equal(tn__http1_write(x, TN_S("x")), TN_ECLOSED);
    assert_int_equal(tn__http1_end(x), TN_ECLOSED);
    assert_heard(&s->c, "400 <73 bytes> (close)|end");
    client_leave(&s->c);
    assert_false(tn__list_empty(&s->server->connections)); /* its memory is still in use */
    tn__http1_done(x);
    s->x = NULL;
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}
