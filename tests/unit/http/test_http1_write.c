/* Responses: their framing, and the flow control of output that the peer does not take at once. */
#include "http/http1_test.h"

/* -- Framing -- */

LOOP_TEST(http1, writes_chunks_when_no_length_is_known)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO);
    assert_int_equal(head_of(s, 200, -1), TN_OK);
    assert_int_equal(tn__http1_write(s->x, TN_S("one")), TN_OK);
    assert_int_equal(tn__http1_write(s->x, TN_S("")), TN_OK); /* which must not end the body */
    assert_int_equal(tn__http1_write(s->x, TN_S("seventeen letters")), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    const char *raw = client_raw(&s->c);
    assert_non_null(strstr(raw, "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n11\r\nseventeen letters\r\n0\r\n\r\n"));
    site_close(s);
}

LOOP_TEST(http1, takes_a_large_body_from_where_it_lies)
{
    for (int64_t length = -1; length <= 100000; length += 100001) {
        site *s = site_open(loop, NULL);
        begin(s, HELLO);
        tn_buf body = {0};
        for (int i = 0; i < 10000; i++) assert_int_equal(tn__buf_add(&body, "0123456789", 10), TN_OK);
        assert_int_equal(head_of(s, 200, length), TN_OK);
        assert_int_equal(tn__http1_write_take(s->x, &body), TN_OK);
        assert_null(body.p);
        assert_int_equal(tn__http1_end(s->x), TN_OK);
        done(s);
        assert_heard(&s->c, "200 <100000 bytes>");
        site_close(s);
    }
}

LOOP_TEST(http1, ends_an_http_1_0_body_of_unknown_length_with_the_connection)
{
    site *s = site_open(loop, NULL);
    begin(s, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_int_equal(head_of(s, 200, -1), TN_OK);
    assert_int_equal(tn__http1_write(s->x, TN_S("abc")), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    assert_heard(&s->c, "200 abc (close)|end");
    site_close(s);
}

LOOP_TEST(http1, counts_the_body_of_an_answer_to_head_and_does_not_send_it)
{
    site *s = site_open(loop, NULL);
    begin(s, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(head_of(s, 200, 3), TN_OK);
    assert_int_equal(tn__http1_write(s->x, TN_S("abc")), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    const char *raw = client_raw(&s->c);
    assert_string_equal(strstr(raw, "Content-Length"), "Content-Length: 3\r\n\r\n");
    site_close(s);
}

LOOP_TEST(http1, gives_204_and_304_no_length_and_no_coding)
{
    site *s = site_open(loop, NULL);
    for (int status = 204; status <= 304; status += 100) {
        begin(s, HELLO);
        assert_int_equal(head_of(s, status, status == 204 ? 0 : -1), TN_OK);
        assert_int_equal(tn__http1_end(s->x), TN_OK);
        done(s);
        const char *raw = client_raw(&s->c);
        assert_null(strstr(raw, "Content-Length"));
        assert_null(strstr(raw, "Transfer-Encoding"));
    }
    site_close(s);
}

LOOP_TEST(http1, closes_rather_than_send_more_than_was_announced)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO);
    assert_int_equal(head_of(s, 200, 3), TN_OK);
    assert_int_equal(tn__http1_write(s->x, TN_S("abcd")), TN_ETOOBIG);
    assert_int_equal(tn__http1_write(s->x, TN_S("a")), TN_ECLOSED);
    done(s);
    assert_heard(&s->c, "end");
    site_close(s);
}

LOOP_TEST(http1, closes_when_less_came_than_was_announced)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO OTHER);
    assert_int_equal(head_of(s, 200, 3), TN_OK);
    assert_int_equal(tn__http1_write(s->x, TN_S("ab")), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_EINVAL);
    done(s);
    client_read(&s->c);
    assert_true(s->c.ended || s->c.broken);
    site_close(s);
}

LOOP_TEST(http1, closes_when_the_application_lets_go_without_an_end)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO OTHER);
    done(s);
    client_read(&s->c);
    assert_int_equal(s->c.n, 0);
    assert_true(s->c.ended || s->c.broken);
    site_close(s);
}

LOOP_TEST(http1, ends_a_response_once)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO);
    assert_int_equal(head_of(s, 200, -1), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_EMISUSE);
    done(s);
    assert_heard(&s->c, "200");
    site_close(s);
}

LOOP_TEST(http1, writes_status_reason_and_fields_as_given)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO);
    tn__headers headers = {0};
    assert_int_equal(tn__headers_add(&headers, &s->x->arena, TN_S("X-One"), TN_S("1")), TN_OK);
    tn__response_head head = {
        .status = 299,
        .reason = TN_S("Fine"),
        .content_type = TN_S("text/plain"),
        .etag = TN_S("\"e\""),
        .headers = &headers,
        .content_length = 0,
    };
    assert_int_equal(tn__http1_head(s->x, &head), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    assert_string_equal(client_raw(&s->c), "HTTP/1.1 299 Fine\r\nContent-Type: text/plain\r\nEtag: \"e\"\r\nX-One: 1\r\n"
                                           "Content-Length: 0\r\n\r\n");
    site_close(s);
}

LOOP_TEST(http1, begins_with_server_and_date_when_asked_to)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO);
    assert_int_equal(tn__http1_head(s->x, &(tn__response_head){.status = 200, .common = true, .content_length = 0}), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    const char *raw = client_raw(&s->c), *expected = "HTTP/1.1 200 OK\r\nServer: TornadoServer/" TN_VERSION "\r\nDate: ";
    assert_memory_equal(raw, expected, strlen(expected));
    assert_string_equal(raw + strlen(expected) + 25, " GMT\r\nContent-Length: 0\r\n\r\n");
    site_close(s);
}

/* -- Flow control -- */

LOOP_TEST(http1, drained_at_once_does_not_wait)
{
    site *s = site_open(loop, NULL);
    waiter w = {0};
    tn__op_init(&w.op, on_drained);
    begin(s, HELLO);
    assert_int_equal(head_of(s, 200, 3), TN_OK);
    assert_int_equal(tn__http1_write(s->x, TN_S("abc")), TN_OK);
    assert_int_equal(tn__http1_drain(s->x, &w.op), TN_OK);
    assert_heard(&s->c, "200 abc");
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    assert_int_equal(w.ends, 0);
    site_close(s);
}

LOOP_TEST(http1, drains_when_the_peer_has_read)
{
    site *s = site_open(loop, NULL);
    waiter w, second = {0};
    tn__op_init(&second.op, on_drained);
    begin_big(s, &w);
    assert_int_equal(tn__http1_drain(s->x, &second.op), TN_EBUSY);
    test_turns(loop, 3);
    assert_int_equal(w.ends, 0);
    client_read(&s->c);
    test_turns(loop, 2);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.result, TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    assert_heard(&s->c, "200 <2000000 bytes>");
    site_close(s);
}

LOOP_TEST(http1, ends_a_drain_when_the_connection_closes)
{
    site *s = site_open(loop, NULL);
    waiter w;
    begin_big(s, &w);
    client_leave(&s->c);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.result, TN_ECLOSED);
    assert_string_equal(told(s), "headers /hello;complete;peer closed;");
    assert_int_equal(tn__http1_drain(s->x, &w.op), TN_ECLOSED);
    done(s);
    site_close(s);
}

LOOP_TEST(http1, forgets_a_drain_that_is_cancelled)
{
    site *s = site_open(loop, NULL);
    waiter w;
    begin_big(s, &w);
    tn__op_cancel(&w.op);
    client_read(&s->c);
    test_turns(loop, 2);
    assert_int_equal(w.ends, 0);
    assert_int_equal(tn__http1_drain(s->x, &w.op), TN_OK);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    site_close(s);
}

LOOP_TEST(http1, drain_that_outlives_its_exchange_leaves_the_next_one_free_to_wait)
{
    site *s = site_open(loop, NULL);
    waiter w, next;
    begin_big(s, &w);
    assert_int_equal(tn__http1_end(s->x), TN_OK);
    done(s);
    assert_int_equal(w.ends, 1);
    client_read(&s->c);
    s->c.n = 0;
    begin_big(s, &next);
    client_read(&s->c);
    test_turns(loop, 1);
    assert_int_equal(next.result, TN_OK);
    done(s);
    site_close(s);
}

LOOP_TEST(http1, begins_no_request_while_too_much_output_waits)
{
    site *s = site_open(loop, NULL);
    s->big = 1 << 20;
    client_say(&s->c, HELLO OTHER HELLO);
    assert_string_equal(told(s), "headers /hello;complete;");
    assert_true(tn__list_linked(s->server->connections.next));
    s->big = 0;
    client_read(&s->c);
    test_turns(loop, 3);
    assert_string_equal(told(s), "headers /other;complete;headers /hello;complete;");
    assert_heard(&s->c, "200 <1048582 bytes>|200 /other|200 /hello");
    site_close(s);
}
