/*
 * What the tests of the web floor share: an application on a loop with its server and one client, everything that was logged, and a
 * trail of words that handlers leave. Handlers run as coroutines, as they do in tn_serve.
 */
#ifndef TN_TESTS_WEB_TEST_H
#define TN_TESTS_WEB_TEST_H

#include "http/http_test.h"

#include "gen/invoke.h"
#include "tornado/gen.h"
#include "web/app.h"

enum { STAGE_TURNS = 6 };

typedef struct stage {
    tn_loop *loop;
    tn_app *app;
    tn__http_server *server;
    client c;
    char log[16384]; /* "E general: text" and a line end for each */
} stage;

static char trail[4096];

/* For handlers: leave a word. */
__attribute__((unused)) TN_PRINTF(1, 2) static void leave(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t n = strlen(trail);
    if (n && n + 1 < sizeof trail) trail[n++] = ' ', trail[n] = 0;
    vsnprintf(trail + n, sizeof trail - n, format, args);
    va_end(args);
}

#define assert_trail(expected)                                                                                                     \
    do {                                                                                                                           \
        assert_string_equal(trail, (expected));                                                                                    \
        trail[0] = 0;                                                                                                              \
    } while (0)

static void keep_log(void *arg, const tn_log_line *line)
{
    static const char *const domains[] = {"access", "application", "general"};
    stage *s = arg;
    size_t n = strlen(s->log);
    char letter = line->level >= TN_LOG_ERROR ? 'E' : line->level >= TN_LOG_WARNING ? 'W' : 'I';
    snprintf(s->log + n, sizeof s->log - n, "%c %s: " TN_FMT "\n", letter, domains[line->domain], TN_ARG(line->text));
}

/* The client leaves and another one comes. */
__attribute__((unused)) static void stage_connect(stage *s)
{
    int fds[2];
    client_done(&s->c);
    test_turns(s->loop, STAGE_TURNS);
    test_socketpair(fds);
    assert_int_equal(tn__http1_open(s->server, fds[0], NULL), TN_OK);
    client_init(&s->c, s->loop, fds[1]);
}

__attribute__((unused)) static void stage_open_app(stage *s, tn_app *app, const tn_http_opts *opts)
{
    *s = (stage){.app = app, .c.fd = -1};
    trail[0] = 0;
    tn_error err = {0};
    if (tn_app_error(app, &err) < 0) fail_msg("%s", err.text);
    assert_int_equal(tn_loop_new(&s->loop, NULL), TN_OK);
    tn_loop_make_current(s->loop);
    tn_loop_set_log(s->loop, keep_log, s, TN_LOG_INFO);
    app->invoker = &tn__coroutine_invoker;
    s->server = tn__http_server_new(s->loop, &tn__web_delegate, app, opts);
    assert_non_null(s->server);
    stage_connect(s);
}

__attribute__((unused)) static void stage_open(stage *s, const tn_route *routes)
{
    stage_open_app(s, tn_app_new(routes), NULL);
}

/* One function that answers everything. */
static tn_route stage_routes[2];
__attribute__((unused)) static void stage_open_function(stage *s, tn_method *function)
{
    stage_routes[0] = (tn_route){.path = "/.*", .function = function};
    stage_open(s, stage_routes);
}

__attribute__((unused)) static void stage_close(stage *s)
{
    tn__http_server_free(s->server);
    client_done(&s->c);
    tn_loop_free(s->loop);
    tn_app_free(s->app);
}

/* Send a request as it stands, and tell what comes back. */
__attribute__((unused)) static const char *ask(stage *s, const char *request)
{
    client_say(&s->c, request);
    test_turns(s->loop, STAGE_TURNS);
    return client_hear(&s->c);
}

__attribute__((unused)) static const char *ask_for(stage *s, const char *method, const char *target)
{
    char text[16384];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, target);
    s->c.head = strcmp(method, "HEAD") == 0;
    return ask(s, text);
}

__attribute__((unused)) static const char *get(stage *s, const char *target)
{
    return ask_for(s, "GET", target);
}

/* The same, but for the whole of the answer as it came. */
__attribute__((unused)) static const char *get_raw(stage *s, const char *target)
{
    char text[16384];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    client_say(&s->c, text);
    test_turns(s->loop, STAGE_TURNS);
    return client_raw(&s->c);
}

#define assert_get(s, target, expected) assert_string_equal(get((s), (target)), (expected))
#define assert_has(text, part)                                                                                                     \
    do {                                                                                                                           \
        const char *text_ = (text);                                                                                                \
        if (!strstr(text_, (part))) fail_msg("\"%s\" is not in \"%s\"", (part), text_);                                            \
    } while (0)
#define assert_has_not(text, part) assert_null(strstr((text), (part)))

/* What was logged, and forget it. */
__attribute__((unused)) static const char *logged(stage *s)
{
    static char text[sizeof s->log];
    memcpy(text, s->log, sizeof text);
    s->log[0] = 0;
    return text;
}

/* -- A gate, at which handlers can be made to wait -- */

static tn_future *gate;

__attribute__((unused)) static int wait_at_gate(tn_req *r)
{
    gate = tn_future_new(tn_req_loop(r));
    assert_non_null(gate);
    int result = tn_await(gate);
    gate = NULL;
    return result;
}

__attribute__((unused)) static void open_gate(stage *s, int result)
{
    assert_non_null(gate);
    if (result < 0)
        tn_future_fail(gate, result);
    else
        tn_future_set(gate, result);
    test_turns(s->loop, STAGE_TURNS);
}

#endif
