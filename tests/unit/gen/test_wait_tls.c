/* TLS over streams: who is trusted, what is agreed on, and what becomes of a handshake. */
#include <fcntl.h>

#include "gen/invoke.h"
#include "net/listen.h"
#include "net/socket.h"
#include "net/tls_files.h"
#include "serve_test.h"
#include "tornado/tls.h"
#include "tornado/web.h"

static int shout(tn_stream *s, void *arg)
{
    served *served_by = arg;
    tn_str line;
    served_by->connections++;
    TN_TRY(tn_read_until(s, "\n", &line));
    return tn_stream_write(s, line);
}

static tn_tls *context(tn_tls_opts opts)
{
    tn_tls *tls = NULL;
    tn_error err = {0};
    opts.err = &err;
    int result = tn_tls_new_(&tls, &opts, offsetof(tn_tls_opts, end_));
    if (result < 0) fprintf(stderr, "%s\n", err.text);
    assert_int_equal(result, 0);
    return tls;
}

#define CONTEXT(...) context((tn_tls_opts){__VA_ARGS__})

static int ask(tn_stream *s)
{
    tn_str answer;
    TN_TRY(tn_stream_write(s, "over TLS\n"));
    TN_TRY(tn_read_until(s, "\n", &answer));
    assert_str(answer, "over TLS\n");
    return 0;
}

TASK_TEST(tls, carries_a_conversation_with_a_server_that_is_trusted)
{
    tls_files_make();
    served s = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("site"))};
    tn_tls *trust = CONTEXT(.ca_file = tls_path("ca"));
    tn_group g;
    tn_stream *client;
    tn_str data;
    tn_tls_info info;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "localhost", s.port, .tls_context = trust));
    TN_TRY(ask(client));
    assert_int_equal(tn_read_all(client, &data), 0); /* closed with a goodbye */
    TN_TRY(tn_stream_tls_info(client, &info));
    assert_string_equal(info.version, "TLSv1.3");
    assert_string_equal(info.server_name, "localhost");
    assert_string_equal(info.peer, "site");
    assert_true(info.verified);
    assert_false(info.resumed);
    tn_stream_free(client);
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port, .tls_context = trust)); /* by its address */
    TN_TRY(ask(client));
    tn_stream_free(client);
    tn_tls_free(trust);
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(s.opts.tls);
    return 0;
}

TASK_TEST(tls, carries_megabytes_both_ways)
{
    enum { N = 1 << 20 };
    tls_files_make();
    tn_stream *here, *there;
    tn_tls *server = CONTEXT(.server = true, .cert_file = tls_path("site")), *client = CONTEXT(.ca_file = tls_path("ca"));
    tn_str data;
    char *bytes = malloc(N);
    for (int i = 0; i < N; i++) bytes[i] = (char)(i * 7 >> 3);
    TN_TRY(tn_stream_pair(loop, &here, &there));
    tn_future *accepted = tn_start_tls_start(there, server);
    TN_TRY(tn_start_tls(here, client, .server_name = "localhost"));
    TN_TRY(tn_await(accepted));
    tn_future *writes[] = {tn_stream_write_start(here, tn_str_of(bytes, N)), tn_stream_write_start(there, tn_str_of(bytes, N))};
    tn_future *read = tn_read_bytes_start(here, N, false);
    TN_TRY(tn_read_bytes(there, N, &data));
    assert_memory_equal(data.p, bytes, N);
    TN_TRY(tn_await_str(read, &data));
    assert_memory_equal(data.p, bytes, N);
    TN_TRY(tn_await_all(writes, 2));
    tn_stream_shutdown_write(here);
    assert_int_equal(tn_read_bytes(there, 1, &data), TN_EOF);
    TN_TRY(tn_stream_write(there, "still"));
    TN_TRY(tn_read_bytes(here, 5, &data));
    tn_stream_free(here);
    tn_stream_free(there);
    tn_tls_free(server);
    tn_tls_free(client);
    free(bytes);
    return 0;
}

TASK_TEST(tls, refuses_a_server_whom_nobody_vouches_for_or_with_another_name)
{
    tls_files_make();
    tn_tls *trust = CONTEXT(.ca_file = tls_path("ca")), *blind = CONTEXT(.verify = TN_TLS_VERIFY_NONE);
    served s = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("stranger"))};
    served other = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("other"))};
    tn_group g, g2;
    tn_stream *client = NULL;
    tn_error err = {0};
    TN_TRY(serve(&g, &s));
    TN_TRY(serve(&g2, &other));
    assert_int_equal(tn_connect(&client, "localhost", s.port, .tls_context = trust, .err = &err), TN_ETLS);
    assert_non_null(strstr(err.text, "certificate verify failed: unable to get local issuer certificate"));
    assert_int_equal(tn_connect(&client, "localhost", s.port, .tls = true, .err = &err), TN_ETLS);
    assert_int_equal(tn_connect(&client, "localhost", other.port, .tls_context = trust, .err = &err), TN_ETLS);
    assert_non_null(strstr(err.text, "mismatch"));
    assert_int_equal(tn_connect(&client, "127.0.0.1", other.port, .tls_context = trust), TN_ETLS);
    assert_null(client);
    assert_int_equal(s.connections + other.connections, 0);
    TN_TRY(tn_connect(&client, "localhost", other.port, .tls_context = trust, .server_name = "www.other.test"));
    TN_TRY(ask(client));
    tn_stream_free(client);
    TN_TRY(tn_connect(&client, "localhost", s.port, .tls_context = blind));
    TN_TRY(ask(client));
    tn_stream_free(client);
    TN_TRY(stop_serving(&g2, &other));
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(s.opts.tls);
    tn_tls_free(other.opts.tls);
    tn_tls_free(trust);
    tn_tls_free(blind);
    return 0;
}

TASK_TEST(tls, shows_the_certificate_that_names_the_host_asked_for)
{
    tls_files_make();
    tn_tls_cert more[] = {{.cert_file = tls_path("other")}, {0}};
    served s = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("site"), .more = more)};
    tn_tls *trust = CONTEXT(.ca_file = tls_path("ca"));
    tn_group g;
    tn_stream *client;
    tn_tls_info info;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port, .tls_context = trust, .server_name = "a.other.test"));
    TN_TRY(tn_stream_tls_info(client, &info));
    assert_string_equal(info.peer, "other");
    tn_stream_free(client);
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port, .tls_context = trust, .server_name = "localhost"));
    TN_TRY(tn_stream_tls_info(client, &info));
    assert_string_equal(info.peer, "site");
    tn_stream_free(client);
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(s.opts.tls);
    tn_tls_free(trust);
    return 0;
}

TASK_TEST(tls, agrees_on_a_protocol_or_on_nothing)
{
    tls_files_make();
    served s = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("site"), .alpn = "h2,http/1.1")};
    tn_tls *old = CONTEXT(.ca_file = tls_path("ca"), .alpn = "spdy/1,http/1.1");
    tn_tls *odd = CONTEXT(.ca_file = tls_path("ca"), .alpn = "smtp"), *mute = CONTEXT(.ca_file = tls_path("ca"));
    tn_group g;
    tn_stream *client;
    tn_tls_info info;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "localhost", s.port, .tls_context = old));
    TN_TRY(tn_stream_tls_info(client, &info));
    assert_str(info.alpn, "http/1.1");
    tn_stream_free(client);
    assert_int_equal(tn_connect(&client, "localhost", s.port, .tls_context = odd), TN_ETLS);
    TN_TRY(tn_connect(&client, "localhost", s.port, .tls_context = mute));
    TN_TRY(tn_stream_tls_info(client, &info));
    assert_int_equal(info.alpn.n, 0);
    tn_stream_free(client);
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(s.opts.tls);
    tn_tls_free(old);
    tn_tls_free(odd);
    tn_tls_free(mute);
    return 0;
}

static int names_client(tn_stream *s, void *arg)
{
    tn_tls_info info;
    (void)arg;
    TN_TRY(tn_stream_tls_info(s, &info));
    TN_TRY(tn_stream_write(s, info.peer));
    return tn_stream_write(s, info.verified ? " verified\n" : " unknown\n");
}

TASK_TEST(tls, asks_clients_for_their_certificates)
{
    tls_files_make();
    tn_tls *server =
        CONTEXT(.server = true, .cert_file = tls_path("site"), .ca_file = tls_path("ca"), .verify = TN_TLS_VERIFY_REQUIRED);
    served s = {.serve = names_client, .opts.tls = server};
    tn_tls *known = CONTEXT(.ca_file = tls_path("ca"), .cert_file = tls_path("client")),
           *nobody = CONTEXT(.ca_file = tls_path("ca"));
    tn_tls *bad = CONTEXT(.ca_file = tls_path("ca"), .cert_file = tls_path("stranger"));
    tn_group g;
    tn_stream *client;
    tn_str data;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "localhost", s.port, .tls_context = known));
    TN_TRY(tn_read_until(client, "\n", &data));
    assert_str(data, "client verified\n");
    tn_stream_free(client);
    TN_TRY(tn_connect(&client, "localhost", s.port, .tls_context = nobody)); /* TLS 1.3 tells it later */
    assert_int_equal(tn_read_until(client, "\n", &data), TN_ETLS);
    tn_stream_free(client);
    TN_TRY(tn_connect(&client, "localhost", s.port, .tls_context = bad));
    assert_int_equal(tn_read_until(client, "\n", &data), TN_ETLS);
    tn_stream_free(client);
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(server);
    tn_tls_free(known);
    tn_tls_free(nobody);
    tn_tls_free(bad);
    return 0;
}

static bool resumes(int port, tn_tls *trust)
{
    tn_stream *client;
    tn_tls_info info;
    assert_int_equal(tn_connect(&client, "localhost", port, .tls_context = trust), 0);
    assert_int_equal(ask(client), 0);
    assert_int_equal(tn_stream_tls_info(client, &info), 0);
    tn_stream_free(client);
    return info.resumed;
}

TASK_TEST(tls, resumes_a_session_also_after_the_server_has_read_its_files_again)
{
    tls_files_make();
    served s = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("site"))};
    tn_tls *trust = CONTEXT(.ca_file = tls_path("ca"));
    tn_group g;
    TN_TRY(serve(&g, &s));
    assert_false(resumes(s.port, trust));
    assert_true(resumes(s.port, trust));
    TN_TRY(tn_tls_reload(s.opts.tls, NULL));
    assert_true(resumes(s.port, trust));
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(s.opts.tls);
    tn_tls_free(trust);
    return 0;
}

static void copy_file(const char *from, const char *to)
{
    char bytes[8192];
    FILE *in = fopen(tls_path(from), "r"), *out = fopen(tls_path(to), "w");
    fwrite(bytes, 1, fread(bytes, 1, sizeof bytes, in), out);
    fclose(in);
    fclose(out);
}

TASK_TEST(tls, reads_its_files_again_while_it_serves)
{
    tls_files_make();
    copy_file("site", "copy");
    served s = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("copy"))};
    tn_tls *trust = CONTEXT(.verify = TN_TLS_VERIFY_NONE);
    tn_group g;
    tn_stream *early, *late;
    tn_tls_info info;
    tn_error err = {0};
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&early, "localhost", s.port, .tls_context = trust));
    unlink(tls_path("copy"));
    assert_int_equal(tn_tls_reload(s.opts.tls, &err), TN_ETLS);
    assert_non_null(strstr(err.text, "copy.pem"));
    copy_file("other", "copy");
    TN_TRY(tn_tls_reload(s.opts.tls, &err));
    TN_TRY(tn_connect(&late, "127.0.0.1", s.port, .tls_context = trust));
    TN_TRY(tn_stream_tls_info(late, &info));
    assert_string_equal(info.peer, "other");
    TN_TRY(ask(early));
    tn_stream_free(early);
    tn_stream_free(late);
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(s.opts.tls);
    tn_tls_free(trust);
    return 0;
}

TASK_TEST(tls, gives_up_a_handshake_that_takes_too_long_or_never_was_one)
{
    tls_files_make();
    served s = {.serve = shout, .opts.tls = CONTEXT(.server = true, .cert_file = tls_path("site")), .opts.handshake_timeout = 0.02};
    tn_group g;
    tn_stream *client;
    tn_str data;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    assert_int_equal(tn_read_bytes(client, 1, &data), TN_EOF);
    tn_stream_free(client);
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    TN_TRY(tn_stream_write(client, "GET / HTTP/1.1\r\n\r\n"));
    TN_TRY(tn_read_all(client, &data)); /* an alert */
    assert_true(data.n < 20);
    tn_stream_free(client);
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    tn_stream_free(client);
    assert_int_equal(s.connections, 0);
    TN_TRY(stop_serving(&g, &s));
    tn_tls_free(s.opts.tls);
    return 0;
}

STREAM_TEST(tls, begins_on_a_stream_that_has_spoken_plainly)
{
    tls_files_make();
    tn_tls *server = CONTEXT(.server = true, .cert_file = tls_path("site")), *client = CONTEXT(.ca_file = tls_path("ca"));
    tn_str line;
    TN_TRY(tn_stream_write(e->here, "STARTTLS\n"));
    TN_TRY(tn_read_until(e->there, "\n", &line));
    TN_TRY(tn_stream_write(e->there, "go ahead\n"));
    tn_future *accepted = tn_start_tls_start(e->there, server);
    TN_TRY(tn_read_until(e->here, "\n", &line));
    assert_int_equal(tn_start_tls(e->here, client), TN_EINVAL); /* whom? */
    TN_TRY(tn_start_tls(e->here, client, .server_name = "localhost"));
    TN_TRY(tn_await(accepted));
    TN_TRY(tn_stream_write(e->there, "secret\n"));
    TN_TRY(tn_read_until(e->here, "\n", &line));
    assert_str(line, "secret\n");
    tn_tls_free(server);
    tn_tls_free(client);
    return 0;
}

STREAM_TEST(tls, does_not_begin_behind_bytes_that_came_unprotected)
{
    tls_files_make();
    tn_tls *server = CONTEXT(.server = true, .cert_file = tls_path("site"));
    tn_str line;
    TN_TRY(tn_stream_write(e->here, "STARTTLS\nMAIL FROM: somebody\n"));
    TN_TRY(tn_read_until(e->there, "\n", &line));
    assert_int_equal(tn_start_tls(e->there, server), TN_EBUSY);
    tn_tls_free(server);
    return 0;
}

STREAM_TEST(tls, treats_an_end_without_goodbye_as_an_error)
{
    tls_files_make();
    tn_tls *server = CONTEXT(.server = true, .cert_file = tls_path("site")), *client = CONTEXT(.ca_file = tls_path("ca"));
    tn_str data;
    tn_future *accepted = tn_start_tls_start(e->there, server);
    TN_TRY(tn_start_tls(e->here, client, .server_name = "localhost"));
    TN_TRY(tn_await(accepted));
    TN_TRY(tn_stream_write(e->there, "cut o"));
    TN_TRY(tn_stream_flush(e->there));
    shutdown(tn_stream_fd(e->there), SHUT_RDWR);
    assert_int_equal(tn_read_all(e->here, &data), TN_ETLS);
    TN_TRY(tn_read_bytes(e->here, 5, &data));
    assert_str(data, "cut o");
    assert_int_equal(tn_read_bytes(e->here, 1, &data), TN_ETLS);
    tn_tls_free(server);
    tn_tls_free(client);
    return 0;
}

STREAM_TEST(tls, closes_the_stream_when_waiting_for_the_handshake_is_cut_short)
{
    tls_files_make();
    tn_tls *client = CONTEXT(.ca_file = tls_path("ca"));
    int result = 0;
    TN_TIMEOUT(0.01) result = tn_start_tls(e->here, client, .server_name = "localhost");
    assert_int_equal(result, TN_ETIMEDOUT);
    assert_true(tn_stream_closed(e->here));
    tn_tls_free(client);
    return 0;
}

static int tell_protocol(tn_req *r)
{
    return tn_write(r, tn_req_protocol(r));
}

TASK_TEST(tls, carries_http)
{
    static const tn_route routes[] = {{.path = "/", .function = tell_protocol}, {0}};
    static const char question[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    tls_files_make();
    tn_tls *tls = CONTEXT(.server = true, .cert_file = tls_path("site")), *trust = CONTEXT(.ca_file = tls_path("ca"));
    tn_app *app = tn_app_new(routes);
    tn_http_opts opts = {.tls = tls};
    tn__http_server *server = tn__http_server_new(loop, &tn__web_delegate, app, &opts);
    tn__bind_opts bind = {.address = "127.0.0.1"};
    tn_addr addr;
    tn_stream *client;
    tn_str answer;
    int fd;
    app->invoker = &tn__coroutine_invoker;
    assert_int_equal(tn__bind_sockets(&bind, &fd, 1, NULL), 1);
    TN_TRY(tn__http_server_listen(server, fd));
    TN_TRY(tn__socket_local(fd, &addr));
    TN_TRY(tn_connect(&client, "localhost", tn_addr_port(&addr), .tls_context = trust));
    TN_TRY(tn_stream_write(client, question));
    TN_TRY(tn_read_all(client, &answer));
    assert_true(tn_str_starts(answer, TN_S("HTTP/1.1 200 OK\r\n")));
    assert_true(tn_str_ends(answer, TN_S("\r\n\r\nhttps")));
    tn_stream_free(client);
    tn__http_server_free(server);
    tn_app_free(app);
    tn_tls_free(tls);
    tn_tls_free(trust);
    return 0;
}

/* A wire that carries only so many bytes in one direction, and is cut then. */
typedef struct wire {
    tn_stream *from, *to;
    size_t left;
} wire;

static int carry(void *arg)
{
    wire *w = arg;
    tn_str data;
    int result = TN_OK;
    while (w->left > 0 && result == TN_OK) {
        result = tn_read_bytes(w->from, w->left, &data, .partial = true);
        if (result == TN_OK) result = tn_stream_write(w->to, data);
        if (result == TN_OK) w->left -= data.n;
    }
    tn_stream_close(w->from);
    tn_stream_close(w->to);
    return 0;
}

static int answer_secret(void *arg)
{
    tn_stream *s = ((void **)arg)[0];
    if (tn_start_tls(s, ((void **)arg)[1], .timeout = 5) == TN_OK) (void)tn_stream_write(s, "secret");
    tn_stream_close(s);
    return 0;
}

/* One conversation over two such wires. Returns what the client got of it, or its error. */
static int converse(tn_loop *loop, tn_tls *server, tn_tls *client, size_t there, size_t back)
{
    tn_stream *s[4] = {0};
    tn_str data;
    tn_group g;
    TN_TRY(tn_stream_pair(loop, &s[0], &s[1]));
    int result = tn_stream_pair(loop, &s[2], &s[3]);
    wire wires[] = {{s[1], s[2], there}, {s[2], s[1], back}};
    void *serving[] = {s[3], server};
    tn_group_init(&g);
    if (result == TN_OK) result = tn_go(&g, carry, &wires[0]);
    if (result == TN_OK) result = tn_go(&g, carry, &wires[1]);
    if (result == TN_OK) result = tn_go(&g, answer_secret, serving);
    if (result == TN_OK) result = tn_start_tls(s[0], client, .server_name = "localhost", .timeout = 5);
    if (result == TN_OK) result = tn_read_all(s[0], &data);
    if (result == TN_OK) {
        assert_str(data, "secret"); /* nothing less, unless it is an error */
        result = (int)data.n;
    }
    tn__alloc_fail_after(-1, false);
    tn_stream_close(s[0]);
    if (s[1]) tn_stream_close(s[1]);
    if (s[2]) tn_stream_close(s[2]);
    if (s[3]) tn_stream_close(s[3]);
    tn_group_join(&g);
    for (int i = 0; i < 4; i++) tn_stream_free(s[i]);
    return result;
}

TASK_TEST(tls, takes_a_connection_that_is_cut_anywhere_for_an_error)
{
    enum { STEP = 23, MANY = 1 << 20 };
    tls_files_make();
    tn_tls *server = CONTEXT(.server = true, .cert_file = tls_path("site")), *client = CONTEXT(.ca_file = tls_path("ca"));
    int result = -1;
    size_t cut = 0;
    for (; result < 0; cut += STEP) {
        result = converse(loop, server, client, MANY, cut);
        assert_true(result == 6 || result == TN_EOF || result == TN_ETLS || result == -ECONNRESET || result == -EPIPE);
    }
    assert_true(cut > 20 * STEP);
    for (cut = 0; cut < 400; cut += STEP) assert_true(converse(loop, server, client, cut, MANY) < 0 || cut > 300);
    assert_int_equal(converse(loop, server, client, MANY, MANY), 6);
    tn_tls_free(server);
    tn_tls_free(client);
    return 0;
}

TASK_TEST(tls, answers_every_lack_of_memory_with_an_error)
{
    enum { MANY = 1 << 20 };
    tls_files_make();
    tn_tls *server = CONTEXT(.server = true, .cert_file = tls_path("site")), *client = CONTEXT(.ca_file = tls_path("ca"));
    int result = -1;
    long n = 0;
    for (; result < 0 && n < 500; n++) {
        tn__alloc_fail_after(n, false);
        result = converse(loop, server, client, MANY, MANY);
    }
    assert_int_equal(result, 6);
    assert_true(n > 8);
    tn_tls_free(server);
    tn_tls_free(client);
    return 0;
}

TEST(tls, says_what_is_wrong_with_its_options)
{
    tls_files_make();
    tn_tls *tls = NULL;
    tn_error err = {0};
    assert_int_equal(tn_tls_new(&tls, &err, .server = true), TN_EINVAL);
    assert_string_equal(err.text, "a server needs a certificate");
    assert_int_equal(tn_tls_new(&tls, &err, .server = true, .cert_file = "/nowhere"), TN_ETLS);
    assert_string_equal(err.text, "/nowhere: no such file or entry");
    assert_int_equal(tn_tls_new(&tls, &err, .server = true, .cert_file = tls_path("site"), .key_file = tls_path("other")), TN_ETLS);
    assert_non_null(strstr(err.text, "mismatch"));
    assert_int_equal(tn_tls_new(&tls, &err, .alpn = "h2,,http/1.1"), TN_EINVAL);
    assert_int_equal(tn_tls_new(&tls, &err, .ciphers = "no such cipher"), TN_ETLS);
    assert_null(tls);
}

STREAM_TEST(tls, has_nothing_to_tell_about_a_plain_stream)
{
    tn_tls_info info;
    assert_int_equal(tn_stream_tls_info(e->here, &info), TN_ENOTSUP);
    return 0;
}
