/* Servers on real listening sockets: defaults, the limit on connections, the graceful end, and being freed at a bad moment. */
#include "http/http_test.h"

#include "http/server.h"
#include "net/listen.h"
#include "net/socket.h"

typedef struct place {
    tn_loop *loop;
    tn__http_server *server;
    tn_addr addr;
    bool later; /* requests are answered by answer() */
    tn__exchange *x;
    int begun, left, aborted, stopped;
} place;

static void answer(place *p)
{
    tn__exchange *x = p->x;
    p->x = NULL;
    if (tn__http1_head(x, &(tn__response_head){.status = 200, .content_length = 2}) == TN_OK) {
        tn__http1_write(x, TN_S("ok"));
        tn__http1_end(x);
    }
    tn__http1_done(x);
}

static int on_headers(void *app, tn__exchange *x)
{
    place *p = app;
    p->begun++;
    p->x = x;
    return TN_OK;
}

static int on_chunk(void *app, tn__exchange *x, tn_str data)
{
    (void)app, (void)x, (void)data;
    return TN_OK;
}

static void on_complete(void *app, tn__exchange *x)
{
    place *p = app;
    p->x = x;
    if (!p->later) answer(p);
}

static void on_peer_closed(void *app, tn__exchange *x)
{
    (void)x;
    ((place *)app)->left++;
}

static void on_aborted(void *app, tn__exchange *x)
{
    place *p = app;
    p->aborted++;
    p->x = NULL;
    tn__http1_done(x);
}

static const tn__http_delegate delegate = {
    .headers = on_headers,
    .chunk = on_chunk,
    .complete = on_complete,
    .peer_closed = on_peer_closed,
    .aborted = on_aborted,
};

static void place_open(place *p, tn_loop *loop, const tn_http_opts *opts)
{
    tn_error err;
    int fd;
    *p = (place){.loop = loop};
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.address = "127.0.0.1"}, &fd, 1, &err), 1);
    assert_int_equal(tn__socket_local(fd, &p->addr), TN_OK);
    p->server = tn__http_server_new(loop, &delegate, p, opts);
    assert_non_null(p->server);
    assert_int_equal(tn__http_server_listen(p->server, fd), TN_OK);
}

/* A connected client; its connection may still wait to be accepted. */
static void come(place *p, client *c)
{
    int fd = tn__socket_open(AF_INET, SOCK_STREAM);
    int e = tn__socket_connect(fd, &p->addr);
    assert_true(e == TN_OK || e == -EINPROGRESS);
    client_init(c, p->loop, fd);
    test_turns(p->loop, 3);
}

static bool refused(const place *p)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool no = connect(fd, &p->addr.u.sa, p->addr.len) < 0 && errno == ECONNREFUSED;
    close(fd);
    return no;
}

static void on_stopped(void *arg)
{
    ((place *)arg)->stopped++;
}

#define HELLO "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

LOOP_TEST(server, takes_what_is_zero_for_its_default)
{
    tn__http_server *s = tn__http_server_new(loop, &delegate, NULL, NULL);
    assert_int_equal(s->opts.head_bytes_max, 65536);
    assert_int_equal(s->opts.target_bytes_max, 8192);
    assert_int_equal(s->opts.fields_max, 128);
    assert_int_equal(s->opts.body_bytes_max, 104857600);
    assert_int_equal(s->opts.arguments_max, 1000);
    assert_int_equal(s->opts.write_bytes_max, 104857600);
    assert_int_equal(s->opts.connections_max, 50000);
    assert_int_equal(s->idle_ns, INT64_C(3600000000000));
    assert_int_equal(s->head_ns, INT64_C(60000000000));
    assert_int_equal(s->body_ns, INT64_C(60000000000));
    assert_int_equal(s->send_ns, INT64_C(60000000000));
    tn__http_server_free(s);
}

LOOP_TEST(server, takes_limits_beyond_what_can_be_counted_for_the_largest_that_can)
{
    tn_http_opts opts = {.head_bytes_max = SIZE_MAX,
                         .target_bytes_max = (size_t)1 << 32,
                         .body_bytes_max = SIZE_MAX,
                         .arguments_max = (size_t)1 << 32,
                         .head_timeout = 1e300};
    place p;
    client c;
    place_open(&p, loop, &opts);
    assert_int_equal(p.server->opts.arguments_max, UINT32_MAX);
    come(&p, &c);
    client_say(&c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert_heard(&c, "200 ok");
    client_done(&c);
    tn__http_server_free(p.server);
    opts = (tn_http_opts){.fields_max = SIZE_MAX};
    tn__http_server *s = tn__http_server_new(loop, &delegate, NULL, &opts); /* NULL for lack of memory is fine, too */
    if (s) assert_int_equal(s->limits.fields_max, 1 << 20);
    tn__http_server_free(s);
}

LOOP_TEST(server, answers_clients_that_come_by_its_socket)
{
    place p;
    client one, two;
    place_open(&p, loop, NULL);
    come(&p, &one);
    come(&p, &two);
    client_say(&two, HELLO);
    client_say(&one, HELLO);
    assert_heard(&one, "200 ok");
    assert_heard(&two, "200 ok");
    assert_int_equal(p.server->connections_n, 2);
    client_done(&one);
    client_done(&two);
    test_turns(loop, 3);
    assert_int_equal(p.server->connections_n, 0);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, lets_no_more_in_than_allowed_and_the_next_one_when_one_has_left)
{
    enum { MAX = 3 };
    place p;
    client in[MAX], waiting;
    place_open(&p, loop, &(tn_http_opts){.connections_max = MAX});
    for (int i = 0; i < MAX; i++) come(&p, &in[i]);
    come(&p, &waiting);
    client_say(&waiting, HELLO);
    assert_int_equal(p.server->connections_n, MAX);
    assert_heard(&waiting, "");
    client_done(&in[1]);
    test_turns(loop, 4);
    assert_int_equal(p.server->connections_n, MAX);
    assert_heard(&waiting, "200 ok");
    client_done(&in[0]);
    client_done(&in[2]);
    client_done(&waiting);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, that_is_full_counts_a_socket_it_begins_to_listen_on)
{
    place p;
    client in, waiting;
    place_open(&p, loop, &(tn_http_opts){.connections_max = 1});
    come(&p, &in);
    tn_error err;
    int fd;
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.address = "127.0.0.1"}, &fd, 1, &err), 1);
    assert_int_equal(tn__socket_local(fd, &p.addr), TN_OK);
    assert_int_equal(tn__http_server_listen(p.server, fd), TN_OK);
    come(&p, &waiting);
    assert_int_equal(p.server->connections_n, 1);
    client_done(&in);
    test_turns(loop, 4);
    client_say(&waiting, HELLO);
    assert_heard(&waiting, "200 ok");
    client_done(&waiting);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, that_cannot_listen_closes_the_descriptor)
{
    tn__http_server *s = tn__http_server_new(loop, &delegate, NULL, NULL);
    FILE *file = tmpfile();
    int fd = dup(fileno(file));
    assert_true(tn__http_server_listen(s, fd) < 0);
    assert_int_equal(write(fd, "x", 1), -1);
    tn_error err;
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.address = "127.0.0.1"}, &fd, 1, &err), 1);
    tn__alloc_fail_after(0, false);
    int result = tn__http_server_listen(s, fd);
    tn__alloc_fail_after(-1, false);
    assert_int_equal(result, TN_ENOMEM);
    assert_int_equal(close(fd), -1);
    fclose(file);
    tn__http_server_free(s);
}

LOOP_TEST(server, drained_without_connections_says_so_from_the_ready_list)
{
    place p;
    place_open(&p, loop, NULL);
    tn__http_server_drain(p.server, on_stopped, &p);
    tn__http_server_drain(p.server, on_stopped, &p);
    assert_int_equal(p.stopped, 0);
    assert_true(refused(&p));
    test_turns(loop, 3);
    assert_int_equal(p.stopped, 1);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, drained_closes_what_is_idle_and_finishes_what_is_in_flight)
{
    place p;
    client idle, busy, begun;
    place_open(&p, loop, NULL);
    tn_loop_set_clock(loop, test_clock, NULL);
    come(&p, &idle);
    come(&p, &busy);
    come(&p, &begun);
    client_say(&idle, HELLO);
    assert_heard(&idle, "200 ok");
    test_now_ns += 600000000;
    p.later = true;
    client_say(&busy, HELLO HELLO);
    client_say(&begun, "GET / HT");
    tn__http_server_drain(p.server, on_stopped, &p);
    test_turns(loop, 3);
    assert_heard(&idle, "end");
    assert_heard(&busy, "");
    assert_int_equal(p.server->connections_n, 2);
    answer(&p);
    test_turns(loop, 3);
    assert_heard(&busy, "200 ok (close)|end");
    assert_int_equal(p.stopped, 0);
    client_say(&begun, "TP/1.1\r\nHost: x\r\n\r\n"); /* begun before the end was: it is served */
    answer(&p);
    test_turns(loop, 3);
    assert_heard(&begun, "200 ok (close)|end");
    client_done(&busy);
    test_turns(loop, 3);
    assert_int_equal(p.stopped, 1);
    client_done(&idle);
    client_done(&begun);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, drained_answers_who_was_told_to_keep_the_connection_just_now)
{
    place p;
    client quick, slow, fresh;
    place_open(&p, loop, NULL);
    tn_loop_set_clock(loop, test_clock, NULL);
    come(&p, &quick);
    come(&p, &slow);
    come(&p, &fresh);
    client_say(&quick, HELLO);
    client_say(&slow, HELLO);
    assert_heard(&quick, "200 ok");
    assert_heard(&slow, "200 ok");
    test_now_ns += 100000000;
    tn__http_server_drain(p.server, on_stopped, &p);
    test_turns(loop, 3);
    assert_heard(&quick, "");
    client_say(&quick, HELLO);
    assert_heard(&quick, "200 ok (close)|end");
    client_say(&fresh, HELLO);
    assert_heard(&fresh, "200 ok (close)|end");
    test_now_ns += 1000000000;
    test_turns(loop, 3);
    assert_heard(&slow, "end");
    client_done(&quick);
    client_done(&fresh);
    test_turns(loop, 3);
    assert_int_equal(p.stopped, 1);
    client_done(&slow);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, drained_is_done_when_the_last_output_has_gone)
{
    static char much[3000000];
    place p;
    client c;
    place_open(&p, loop, NULL);
    come(&p, &c);
    int small = 65536; /* so that the system does not take it all at once */
    tn__http1 *conn = TN__OWNER(p.server->connections.next, tn__http1, node);
    setsockopt(conn->stream.io.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    p.later = true;
    client_say(&c, HELLO);
    tn__exchange *x = p.x;
    assert_int_equal(tn__http1_head(x, &(tn__response_head){.status = 200, .content_length = sizeof much}), TN_OK);
    assert_int_equal(tn__http1_write(x, tn_str_of(much, sizeof much)), TN_OK);
    assert_int_equal(tn__http1_end(x), TN_OK);
    tn__http1_done(x);
    test_turns(loop, 3);
    tn__http_server_drain(p.server, on_stopped, &p); /* its head has promised to keep the connection */
    test_turns(loop, 3);
    assert_int_equal(p.stopped, 0);
    for (int turn = 0; !p.stopped && turn < 5000; turn++) {
        client_read(&c);
        tn_loop_turn(loop, 0.001);
    }
    assert_heard(&c, "200 <3000000 bytes>|end");
    assert_int_equal(p.stopped, 1);
    client_done(&c);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, closes_all_connections_at_once_when_told_to)
{
    place p;
    client idle, busy;
    place_open(&p, loop, NULL);
    come(&p, &idle);
    come(&p, &busy);
    p.later = true;
    client_say(&busy, HELLO);
    tn__http_server_drain(p.server, on_stopped, &p);
    tn__http_server_close_all(p.server);
    test_turns(loop, 2);
    assert_heard(&idle, "end");
    assert_heard(&busy, "end");
    assert_int_equal(p.left, 1);
    assert_int_equal(p.stopped, 0); /* the application still has its hands on one */
    answer(&p);
    test_turns(loop, 2);
    assert_int_equal(p.stopped, 1);
    client_done(&idle);
    client_done(&busy);
    tn__http_server_free(p.server);
}

LOOP_TEST(server, freed_while_an_application_holds_a_request_waits_with_its_memory)
{
    place p;
    client busy, half, idle;
    place_open(&p, loop, NULL);
    come(&p, &busy);
    come(&p, &half);
    come(&p, &idle);
    p.later = true;
    client_say(&half, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    client_say(&busy, HELLO);
    tn__exchange *x = p.x;
    tn__http_server_free(p.server);
    assert_int_equal(p.left, 1);    /* told inside the call */
    assert_int_equal(p.aborted, 1); /* and this one let go of its exchange there */
    test_turns(loop, 2);
    assert_heard(&busy, "end");
    assert_heard(&half, "end");
    assert_heard(&idle, "end");
    client_done(&busy);
    client_done(&half);
    client_done(&idle);
    tn__http1_done(x);
}

LOOP_TEST(server, freed_is_let_go_of_by_the_last_exchange)
{
    place p;
    client c;
    place_open(&p, loop, NULL);
    come(&p, &c);
    p.later = true;
    client_say(&c, HELLO);
    tn__exchange *x = p.x;
    tn__http_server_free(p.server);
    assert_true(x->broken);
    assert_int_equal(tn__http1_head(x, &(tn__response_head){.status = 200}), TN_ECLOSED);
    answer(&p); /* the leak checker sees to the rest */
    client_done(&c);
}

LOOP_TEST(server, freed_right_after_its_last_connection_closed_says_nothing_more)
{
    place p;
    client c;
    place_open(&p, loop, NULL);
    come(&p, &c);
    tn__http_server_drain(p.server, on_stopped, &p);
    tn__http_server_free(p.server);
    test_turns(loop, 3);
    assert_int_equal(p.stopped, 0);
    client_done(&c);
    tn__http_server_free(NULL);
}

static int make_one(void *arg)
{
    tn__http_server *s = tn__http_server_new(arg, &delegate, NULL, NULL);
    tn__http_server_free(s);
    return s ? TN_OK : TN_ENOMEM;
}

LOOP_TEST(server, cannot_be_made_without_memory)
{
    assert_int_equal(test_each_allocation(make_one, loop), 2);
}
