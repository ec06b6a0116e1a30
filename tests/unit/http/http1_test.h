/*
 * What the tests of the HTTP/1 connection share: a server on a socket pair under a delegate of the tests' own, which answers with the
 * target and the body, at once or when told to, and writes down what it was told.
 */
#ifndef TN_TESTS_HTTP1_TEST_H
#define TN_TESTS_HTTP1_TEST_H

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

__attribute__((unused)) static void note(site *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t n = strlen(s->said);
    vsnprintf(s->said + n, sizeof s->said - n, format, args);
    va_end(args);
}

/* What was told since the last time. */
__attribute__((unused)) static const char *told(site *s)
{
    static char line[sizeof s->said];
    memcpy(line, s->said, sizeof line);
    s->said[0] = 0;
    return line;
}

__attribute__((unused)) static void answer(site *s)
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

__attribute__((unused)) static int on_headers(void *app, tn__exchange *x)
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

__attribute__((unused)) static int on_chunk(void *app, tn__exchange *x, tn_str data)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "chunk " TN_FMT ";", TN_ARG(data));
    assert_true(s->body_n + data.n <= sizeof s->body);
    memcpy(s->body + s->body_n, data.p, data.n);
    s->body_n += data.n;
    return s->park_chunks ? TN__PENDING : TN_OK;
}

__attribute__((unused)) static void on_complete(void *app, tn__exchange *x)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "complete;");
    if (!s->later) answer(s);
}

__attribute__((unused)) static void on_peer_closed(void *app, tn__exchange *x)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "peer closed;");
}

__attribute__((unused)) static void on_aborted(void *app, tn__exchange *x)
{
    site *s = app;
    assert_ptr_equal(x, s->x);
    note(s, "aborted;");
    if (s->keep) return;
    s->x = NULL;
    tn__http1_done(x);
}

__attribute__((unused)) static const tn__http_delegate delegate = {on_headers, on_chunk, on_complete, on_peer_closed, on_aborted};

__attribute__((unused)) static void site_connect(site *s, client *c)
{
    int fds[2];
    test_socketpair(fds);
    assert_int_equal(tn__http1_open(s->server, fds[0], NULL), TN_OK);
    client_init(c, s->loop, fds[1]);
}

__attribute__((unused)) static site *site_open(tn_loop *loop, const tn_http_opts *opts)
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

__attribute__((unused)) static void site_close(site *s)
{
    tn__http_server_free(s->server);
    if (s->x) tn__http1_done(s->x);
    client_done(&s->c);
    free(s);
}

__attribute__((unused)) static void pass(site *s, double seconds)
{
    test_now_ns += (int64_t)(seconds * 1e9);
    test_turns(s->loop, 3);
}

#define HELLO "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
#define OTHER "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(target) "POST " target " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"
#define CHUNKED "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

/* -- Responses of tests that make them by hand -- */

__attribute__((unused)) static void begin(site *s, const char *request)
{
    s->later = true;
    client_say(&s->c, request);
    assert_non_null(s->x);
}

__attribute__((unused)) static int head_of(site *s, int status, int64_t length)
{
    return tn__http1_head(s->x, &(tn__response_head){.status = status, .content_length = length});
}

__attribute__((unused)) static void done(site *s)
{
    tn__http1_done(s->x);
    s->x = NULL;
    test_turns(s->loop, 3);
}

/* -- Output that does not leave at once -- */

typedef struct waiter {
    tn__op op;
    int ends, result;
} waiter;

__attribute__((unused)) static void on_drained(tn_loop *loop, tn__op *op, int result)
{
    (void)loop;
    waiter *w = TN__OWNER(op, waiter, op);
    w->ends++;
    w->result = result;
}

/* Begin a response of two megabytes that the client does not read, and wait for it to go. */
__attribute__((unused)) static void begin_big(site *s, waiter *w)
{
    static char much[2000000];
    *w = (waiter){0};
    tn__op_init(&w->op, on_drained);
    begin(s, HELLO);
    assert_int_equal(head_of(s, 200, sizeof much), TN_OK);
    assert_int_equal(tn__http1_write(s->x, tn_str_of(much, sizeof much)), TN_OK);
    assert_int_equal(tn__http1_drain(s->x, &w->op), TN__PENDING);
}

#endif
