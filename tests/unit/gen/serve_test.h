/* What tests of servers share: a server beside the test's own coroutine. */
#ifndef TN_TESTS_SERVE_TEST_H
#define TN_TESTS_SERVE_TEST_H

#include "stream_test.h"
#include "tornado/tcpclient.h"
#include "tornado/tcpserver.h"

typedef struct served {
    tn_stream_fn *serve;
    tn_tcp_serve_opts opts;
    int port;
    int result;
    int connections; /* the test's own */
    tn_task *task;
} served;

__attribute__((unused)) static void on_served(tn_loop *loop, int port, void *arg)
{
    (void)loop;
    ((served *)arg)->port = port;
}

__attribute__((unused)) static int serve_task(void *arg)
{
    served *s = arg;
    tn_tcp_serve_opts opts = s->opts;
    s->task = tn_task_current();
    opts.serve = s->serve;
    opts.arg = s;
    opts.on_start = on_served;
    if (!opts.host && !opts.unix_socket && !opts.inherited_fd) opts.host = "127.0.0.1";
    s->result = tn_tcp_serve_(&opts, offsetof(tn_tcp_serve_opts, end_));
    s->task = NULL;
    return 0;
}

/* Begin to serve; s->port is known when this returns. */
__attribute__((unused)) static int serve(tn_group *g, served *s)
{
    tn_group_init(g);
    TN_TRY(tn_go(g, serve_task, s));
    return tn_sleep(0);
}

__attribute__((unused)) static int stop_serving(tn_group *g, served *s)
{
    tn_cancel(s->task);
    TN_TRY(tn_group_join(g));
    return s->result == TN_ECANCELED ? 0 : s->result;
}

/* A test whose body is a coroutine on a fresh loop of every back-end; it has `loop`, and returns 0. */
#define TASK_TEST(subject, sentence)                                                                                               \
    static int subject##_##sentence##_task(void *arg);                                                                             \
    static int subject##_##sentence##_in(tn_loop *loop);                                                                           \
    LOOP_TEST(subject, sentence)                                                                                                   \
    {                                                                                                                              \
        test_run_task(loop, subject##_##sentence##_task, loop);                                                                    \
    }                                                                                                                              \
    static int subject##_##sentence##_task(void *arg)                                                                              \
    {                                                                                                                              \
        return subject##_##sentence##_in(arg);                                                                                     \
    }                                                                                                                              \
    static int subject##_##sentence##_in(__attribute__((unused)) tn_loop *loop)

#endif
