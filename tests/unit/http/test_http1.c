/* The life of a connection: peers that leave, timeouts (the tests drive the clock), and lack of memory. */
#include <ctype.h>

#include "http/http1_test.h"

/* -- The peer leaves -- */

LOOP_TEST(http1, closed_by_the_peer_between_requests_closes)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, HELLO);
    client_leave(&s->c);
    assert_true(tn__list_empty(&s->server->connections));
    assert_string_equal(told(s), "headers /hello;complete;");
    site_close(s);
}

LOOP_TEST(http1, closed_by_the_peer_inside_a_head_closes)
{
    site *s = site_open(loop, NULL);
    client_say(&s->c, "GET / HT");
    client_half_close(&s->c);
    assert_heard(&s->c, "end");
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, tells_the_application_once_that_the_peer_left)
{
    site *s = site_open(loop, NULL);
    begin(s, HELLO);
    client_half_close(&s->c);
    assert_string_equal(told(s), "headers /hello;complete;peer closed;");
    client_leave(&s->c);
    test_turns(loop, 3);
    assert_string_equal(told(s), "");
    answer(s);
    test_turns(loop, 3);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, tells_the_application_that_the_peer_left_together_with_its_request)
{
    site *s = site_open(loop, NULL);
    s->later = true;
    assert_int_equal(send(s->c.fd, HELLO, strlen(HELLO), 0), strlen(HELLO));
    client_half_close(&s->c);
    assert_string_equal(told(s), "headers /hello;complete;peer closed;");
    answer(s);
    test_turns(loop, 3);
    assert_heard(&s->c, "200 /hello|end");
    site_close(s);
}

LOOP_TEST(http1, answers_all_that_came_before_a_half_close)
{
    site *s = site_open(loop, NULL);
    s->later = true;
    client_say(&s->c, HELLO OTHER);
    client_half_close(&s->c);
    answer(s);
    test_turns(loop, 3);
    answer(s);
    test_turns(loop, 3);
    assert_heard(&s->c, "200 /hello|200 /other|end");
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, aborts_a_streamed_request_whose_peer_is_gone)
{
    site *s = site_open(loop, NULL);
    s->stream = s->park_chunks = true;
    client_say(&s->c, POST("/p") "abc");
    tn__http1_go_on(s->x);
    client_leave(&s->c);
    assert_string_equal(told(s), "headers /p;chunk abc;aborted;");
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, says_nothing_of_a_half_close_behind_a_body_that_is_not_read_yet)
{
    site *s = site_open(loop, NULL);
    s->stream = s->park_chunks = true;
    client_say(&s->c, POST("/p") "abc");
    client_send(&s->c, "def", 3);
    client_half_close(&s->c);
    assert_string_equal(told(s), "headers /p;chunk abc;");
    tn__http1_go_on(s->x);
    test_turns(loop, 3);
    assert_string_equal(told(s), "chunk def;");
    tn__http1_go_on(s->x);
    assert_string_equal(told(s), "complete;");
    test_turns(loop, 3);
    assert_heard(&s->c, "200 /pabcdef|end");
    site_close(s);
}

LOOP_TEST(http1, aborts_a_parked_request_whose_peer_is_gone_after_a_half_close)
{
    site *s = site_open(loop, NULL);
    s->stream = s->park_chunks = true;
    client_say(&s->c, POST("/p") "abc");
    client_half_close(&s->c);
    assert_string_equal(told(s), "headers /p;chunk abc;");
    tn__http_server_close_all(s->server);
    test_turns(loop, 3);
    assert_string_equal(told(s), "aborted;");
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, going_on_after_the_end_does_nothing)
{
    site *s = site_open(loop, NULL);
    s->stream = s->park_chunks = s->keep = true;
    client_say(&s->c, POST("/p") "abc");
    tn__http1_close(s->x->conn);
    test_turns(loop, 2);
    assert_string_equal(told(s), "headers /p;chunk abc;aborted;");
    tn__http1_go_on(s->x);
    test_turns(loop, 2);
    assert_string_equal(told(s), "");
    done(s);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

/* -- Timeouts -- */

static const tn_http_opts times = {.idle_timeout = 100, .head_timeout = 10, .body_timeout = 20, .send_timeout = 30};

LOOP_TEST(http1, closes_a_connection_on_which_no_request_ever_begins)
{
    site *s = site_open(loop, &times);
    pass(s, 9.9);
    assert_heard(&s->c, "");
    pass(s, 0.2);
    assert_heard(&s->c, "end");
    site_close(s);
}

LOOP_TEST(http1, answers_408_to_a_head_that_takes_too_long)
{
    site *s = site_open(loop, &times);
    client_say(&s->c, HELLO);
    assert_heard(&s->c, "200 /hello");
    pass(s, 90);
    client_say(&s->c, "GET / ");
    pass(s, 5);
    client_say(&s->c, "HTTP/1.1"); /* more bytes do not buy more time */
    pass(s, 4.9);
    assert_heard(&s->c, "");
    pass(s, 0.2);
    assert_heard(&s->c, "408 <81 bytes> (close)|end");
    site_close(s);
}

LOOP_TEST(http1, closes_an_idle_connection_without_a_word)
{
    site *s = site_open(loop, &times);
    client_say(&s->c, HELLO);
    assert_heard(&s->c, "200 /hello");
    pass(s, 99.9);
    assert_heard(&s->c, "");
    pass(s, 0.2);
    assert_heard(&s->c, "end");
    site_close(s);
}

LOOP_TEST(http1, answers_408_to_a_body_that_pauses_too_long)
{
    site *s = site_open(loop, &times);
    client_say(&s->c, POST("/p") "a");
    pass(s, 19);
    client_say(&s->c, "b");
    pass(s, 19.9);
    assert_heard(&s->c, "");
    pass(s, 0.2);
    assert_heard(&s->c, "408 <81 bytes> (close)|end");
    assert_string_equal(told(s), "headers /p;aborted;");
    site_close(s);
}

LOOP_TEST(http1, gives_the_application_all_the_time_it_wants)
{
    site *s = site_open(loop, &times);
    begin(s, HELLO);
    pass(s, 100000);
    answer(s);
    test_turns(loop, 2);
    assert_heard(&s->c, "200 /hello");
    s->stream = s->park_chunks = true;
    client_say(&s->c, POST("/p") "abc");
    pass(s, 100000);
    assert_heard(&s->c, "");
    s->park_chunks = s->later = false;
    tn__http1_go_on(s->x);
    client_say(&s->c, "def");
    assert_heard(&s->c, "200 /pabcdef");
    site_close(s);
}

LOOP_TEST(http1, closes_on_a_peer_that_takes_nothing)
{
    site *s = site_open(loop, &times);
    waiter w;
    begin_big(s, &w);
    pass(s, 29.9);
    assert_int_equal(w.ends, 0);
    pass(s, 0.2);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.result, TN_ECLOSED);
    done(s);
    site_close(s);
}

LOOP_TEST(http1, puts_up_with_a_peer_that_takes_little)
{
    site *s = site_open(loop, &times);
    waiter w;
    begin_big(s, &w);
    for (int i = 0; i < 3; i++) {
        pass(s, 29);
        static char some[300000];
        assert_true(recv(s->c.fd, some, sizeof some, MSG_DONTWAIT) > 0);
        test_turns(loop, 2);
    }
    assert_int_equal(w.ends, 0);
    pass(s, 31); /* the last look may have come before the last bite */
    pass(s, 31);
    assert_int_equal(w.result, TN_ECLOSED);
    done(s);
    site_close(s);
}

LOOP_TEST(http1, closes_on_a_peer_that_takes_nothing_of_pipelined_responses)
{
    site *s = site_open(loop, &times);
    s->big = 1 << 20;
    client_say(&s->c, HELLO OTHER);
    pass(s, 29.9);
    assert_false(tn__list_empty(&s->server->connections));
    pass(s, 0.2);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, closes_on_a_peer_that_takes_nothing_of_its_last_response)
{
    site *s = site_open(loop, &times);
    s->big = 1 << 20;
    client_say(&s->c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    pass(s, 29.9);
    assert_false(tn__list_empty(&s->server->connections));
    pass(s, 0.2);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, closes_on_a_peer_that_leaves_a_small_rest_untaken)
{
    site *s = site_open(loop, &times);
    int small = 4096; /* so that the system takes little of it */
    setsockopt(s->server->connections.next == &s->server->connections ? -1 : s->c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    tn__http1 *c = TN__OWNER(s->server->connections.next, tn__http1, node);
    setsockopt(c->stream.io.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    s->big = 60000;
    client_say(&s->c, HELLO);
    assert_true(c->stream.out_bytes > 0 && c->stream.out_bytes < 65536);
    pass(s, 29.9);
    assert_false(tn__list_empty(&s->server->connections));
    pass(s, 0.2);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, waits_two_seconds_for_the_peer_to_notice_the_end)
{
    site *s = site_open(loop, &times);
    client_say(&s->c, "GET / HTTP/1.1\r\nHost : x\r\n\r\n");
    pass(s, 1.9);
    client_say(&s->c, "still talking");
    assert_false(tn__list_empty(&s->server->connections));
    pass(s, 0.2);
    assert_true(tn__list_empty(&s->server->connections));
    site_close(s);
}

LOOP_TEST(http1, timeouts_can_be_switched_off)
{
    site *s = site_open(loop, &(tn_http_opts){.idle_timeout = -1, .head_timeout = -1, .body_timeout = -1, .send_timeout = -1});
    pass(s, 1e6);
    client_say(&s->c, POST("/p"));
    pass(s, 1e6);
    client_say(&s->c, "abcdef");
    pass(s, 1e6);
    assert_heard(&s->c, "200 /pabcdef");
    site_close(s);
}

/* -- Memory -- */

/*
 * Say `text` to a fresh server on a fresh loop, whose allocation number `n` fails. Its answer is judged by `judge`, and then it must
 * serve another client. False when there is no such allocation.
 */
static bool starve(const char *text, long n, bool (*judge)(const client *c, const char *heard))
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
    site *s = site_open(loop, NULL);
    tn__alloc_fail_after(n, false);
    client_say(&s->c, text);
    bool failed = tn__alloc_count() > n;
    tn__alloc_fail_after(-1, false);
    const char *heard = client_hear(&s->c);
    if (!judge(&s->c, heard)) fail_msg("allocation %ld: \"%s\"", n, heard);
    client_leave(&s->c);
    client second;
    site_connect(s, &second);
    client_say(&second, HELLO);
    assert_heard(&second, "200 /hello");
    client_done(&second);
    site_close(s);
    tn_loop_free(loop);
    return failed;
}

/* Whole answers, and the end if there are not as many as there were questions. */
static bool two_answers(const client *c, const char *heard)
{
    return !strstr(heard, "+") && (strchr(heard, '|') || c->ended || c->broken);
}

static bool one_answer(const client *c, const char *heard)
{
    return !strstr(heard, "+") && (heard[0] || c->ended || c->broken);
}

TEST(http1, without_memory_answers_or_closes_and_serves_again_afterwards)
{
    static const char *const texts[] = {HELLO OTHER, POST("/p") "abcdef" CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};
    for (size_t i = 0; i < 2; i++) {
        long n = 0;
        while (starve(texts[i], n, two_answers)) n++;
        assert_true(n >= 5);
    }
    for (long n = 0; starve("GET / HTTP/1.1\r\nHost : x\r\n\r\n", n, one_answer); n++) continue;
}

TEST(http1, without_memory_to_ask_for_a_body_does_not_let_its_peer_wait_for_that)
{
    const char *asking = "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    long n = 0;
    while (starve(asking, n, one_answer)) n++;
    assert_true(n >= 5);
}

TEST(http1, says_whose_address_the_peer_has)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
    site *s = site_open(loop, NULL);
    char text[TN_ADDR_TEXT_BYTES];
    assert_str(tn__http1_remote_ip(TN__OWNER(s->server->connections.next, tn__http1, node), text), "0.0.0.0");
    const char *const ips[] = {"192.0.2.7", "2001:db8::7"};
    for (size_t i = 0; i < 2; i++) {
        tn_addr peer;
        assert_int_equal(tn_addr_parse_ip(&peer, ips[i], 80), TN_OK);
        int fds[2];
        test_socketpair(fds);
        assert_int_equal(tn__http1_open(s->server, fds[0], &peer), TN_OK);
        tn_str ip = tn__http1_remote_ip(TN__OWNER(s->server->connections.prev, tn__http1, node), text);
        assert_int_equal(ip.n, strlen(ips[i]));
        assert_memory_equal(ip.p, ips[i], ip.n);
        close(fds[1]);
    }
    site_close(s);
    tn_loop_free(loop);
}

/* -- Transports -- */

static int refuse_stream(void *app, tn_stream *s)
{
    (void)app, (void)s;
    return TN_ETLS;
}

LOOP_TEST(http1, closes_a_connection_that_cannot_have_its_transport)
{
    site *s = site_open(loop, NULL);
    tn__http_delegate refusing = delegate;
    refusing.attach = refuse_stream;
    s->server->delegate = &refusing;
    int fds[2];
    char byte;
    test_socketpair(fds);
    assert_int_equal(tn__http1_open(s->server, fds[0], NULL), TN_ETLS);
    assert_int_equal(recv(fds[1], &byte, 1, 0), 0);
    assert_int_equal(s->server->connections_n, 1);
    close(fds[1]);
    s->server->delegate = &delegate;
    site_close(s);
}

/* Turns the case of letters, both ways. */
static ssize_t turn_recv(tn_stream *s, char *p, size_t n)
{
    ssize_t got = recv(s->io.fd, p, n, 0);
    for (ssize_t i = 0; i < got; i++)
        if (isalpha((unsigned char)p[i])) p[i] ^= 0x20;
    return got < 0 ? -errno : got;
}

static ssize_t turn_send(tn_stream *s, const struct iovec *pieces, int n)
{
    char byte = *(char *)pieces[0].iov_base;
    (void)n;
    if (isalpha((unsigned char)byte)) byte ^= 0x20;
    ssize_t sent = send(s->io.fd, &byte, 1, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

static void turn_no_more(tn_stream *s)
{
    (void)s;
}

static int turn_stream(void *app, tn_stream *s)
{
    static const tn__transport transport = {turn_recv, turn_send, turn_no_more, turn_no_more};
    (void)app;
    s->transport = &transport;
    return TN_OK;
}

LOOP_TEST(http1, speaks_through_the_transport_that_the_delegate_attaches)
{
    site *s = site_open(loop, NULL);
    tn__http_delegate turning = delegate;
    turning.attach = turn_stream;
    s->server->delegate = &turning;
    client c;
    site_connect(s, &c);
    client_say(&c, "get /HELLO http/1.1\r\nhOST: X\r\ncONNECTION: CLOSE\r\n\r\n");
    assert_string_equal(told(s), "headers /hello;complete;");
    char text[500] = "";
    assert_true(recv(c.fd, text, sizeof text - 1, 0) > 0);
    assert_non_null(strstr(text, "http/1.1 200 ok"));
    client_done(&c);
    s->server->delegate = &delegate;
    site_close(s);
}
