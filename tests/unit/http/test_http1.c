/*
 * Connections over socket pairs, on each back-end, under a delegate of the test's own: it answers with the target and the body, at
 * once or when told to, and writes down what it was told.
 */
#include "http/http_test.h"

#include "http/server.h"

typedef struct site {
    tn_loop *loop;
    tn__http_server *server;
    client c;

    bool stream;            /* bodies go to `chunk` */
    bool park_headers;      /* `headers` asks to wait */
    bool park_chunks;       /* and each chunk */
    bool answer_in_headers; /* and is done with the exchange there */
    int fail_headers;       /* or fails */
    bool later;             /* requests are answered by answer() */
    bool keep;              /* an aborted exchange is let go of by the test */
    size_t body_bytes_max;  /* `headers` sets this limit for the body; 0: it does not */
    size_t big;             /* answer with so many bytes */

    tn__exchange *x;
    char said[8192]; /* what we were told */
    char body[4096]; /* of a streamed body */
    size_t body_n;
} site;

static void note(site *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t n = strlen(s->said);
    vsnprintf(s->said + n, sizeof s->said - n, format, args);
    va_end(args);
}

/* What was told since the last time. */
static const char *told(site *s)
{
    static char line[sizeof s->said];
    memcpy(line, s->said, sizeof line);
    s->said[0] = 0;
    return line;
}

static void answer(site *s)
{
    tn__exchange *x = s->x;
    static char much[1 << 20];
    tn_str target = tn__exchange_slice(x, x->head.target), body = x->streaming ? tn_str_of(s->body, s->body_n) : x->body;
    if (s->big) body = tn_str_of(much, s->big);
    tn__response_head head = {.status = 200, .content_length = (int64_t)(target.n + body.n)};
    s->x = NULL;
    s->body_n = 0;
    if (tn__http1_head(x, &head) == TN_OK) {
        tn__http1_write(x, target);
        tn__http1_write(x, body);
        tn__http1_end(x);
    }
    tn__http1_done(x);
}

static int on_headers(void *app, tn__exchange *x)
{
    site *s = app;
    tn_str target = tn__exchange_slice(x, x->head.target);
    note(s, "headers " TN_FMT ";", TN_ARG(target));
    assert_null(s->x);
    s->x = x;
    x->streaming = s->stream;
    if (s->body_bytes_max) x->conn->body_bytes_max = s->body_bytes_max;
    if (s->answer_in_headers) answer(s);
    return s->fail_headers ? s->fail_headers : s->park_headers ? TN__PENDING : TN_OK;
}

static int on_chunk(void *app, tn__exchange *x, tn_str data)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "chunk " TN_FMT ";", TN_ARG(data));
    assert_true(s->body_n + data.n <= sizeof s->body);
    memcpy(s->body + s->body_n, data.p, data.n);
    s->body_n += data.n;
    return s->park_chunks ? TN__PENDING : TN_OK;
}

static void on_complete(void *app, tn__exchange *x)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "complete;");
    if (!s->later) answer(s);
}

static void on_peer_closed(void *app, tn__exchange *x)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "peer closed;");
}

static void on_aborted(void *app, tn__exchange *x)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "aborted;");
    if (s->keep) return;
    s->x = NULL;
    tn__http1_done(x);
}

static const tn__http_delegate delegate = {on_headers, on_chunk, on_complete, on_peer_closed, on_aborted};

static void site_connect(site *s, client *c)
{
    int fds[2];
    test_socketpair(fds);
    assert_int_equal(tn__http1_open(s->server, fds[0], NULL), TN_OK);
    client_init(c, s->loop, fds[1]);
}

static site *site_open(tn_loop *loop, const tn_http_opts *opts)
{
    site *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->loop = loop;
    s->server = tn__http_server_new(loop, &delegate, s, opts);
    assert_non_null(s->server);
    tn_loop_set_clock(loop, test_clock, NULL);
    site_connect(s, &s->c);
    return s;
}

static void site_close(site *s)
{
    tn__http_server_free(s->server);
    if (s->x) tn__http1_done(s->x);
    client_done(&s->c);
    free(s);
}

static void pass(site *s, double seconds)
{
    test_now_ns += (int64_t)(seconds * 1e9);
    test_turns(s->loop, 3);
}

#define HELLO "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
#define OTHER "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(target) "POST " target " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"
#define CHUNKED "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

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

/* -- Early answers and refusals -- */

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

/* -- Responses -- */

static void begin(site *s, const char *request)
{
    s->later = true;
    client_say(&s->c, request);
    assert_non_null(s->x);
}

static int head_of(site *s, int status, int64_t length)
{
    return tn__http1_head(s->x, &(tn__response_head){.status = status, .content_length = length});
}

static void done(site *s)
{
    tn__http1_done(s->x);
    s->x = NULL;
    test_turns(s->loop, 3);
}

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

typedef struct waiter {
    tn__op op;
    int ends, result;
} waiter;

static void on_drained(tn_loop *loop, tn__op *op, int result)
{
    (void)loop;
    waiter *w = TN__OWNER(op, waiter, op);
    w->ends++;
    w->result = result;
}

/* Begin a response of two megabytes that the client does not read, and wait for it to go. */
static void begin_big(site *s, waiter *w)
{
    static char much[2000000];
    *w = (waiter){0};
    tn__op_init(&w->op, on_drained);
    begin(s, HELLO);
    assert_int_equal(head_of(s, 200, sizeof much), TN_OK);
    assert_int_equal(tn__http1_write(s->x, tn_str_of(much, sizeof much)), TN_OK);
    assert_int_equal(tn__http1_drain(s->x, &w->op), TN__PENDING);
}

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
