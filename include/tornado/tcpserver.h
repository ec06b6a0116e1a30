/*
 * Servers of any protocol over TCP: each connection is a coroutine with a stream. Tornado's tcpserver.
 *
 *     static int echo(tn_stream *s, void *arg)
 *     {
 *         ...tn_read_until(s, "\n", &line, .max = 8192)...tn_stream_write(s, line)...
 *     }
 *
 *     TN_TRY(tn_tcp_serve(echo, NULL, .host = "127.0.0.1", .port = 9000, .idle_timeout = 60));
 *
 * Loop thread only. All calls exist since 0.1.
 */
#ifndef TORNADO_TCPSERVER_H
#define TORNADO_TCPSERVER_H

#include "iostream.h"
#include "tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Serves one connection, as a coroutine of its own. The stream is closed, once what was written has left, and freed when this
 * returns. An error that it returns is logged, unless it is the ordinary end of a connection: TN_EOF, TN_ECLOSED, TN_ECANCELED,
 * TN_ETIMEDOUT, or a reset.
 */
typedef int tn_stream_fn(tn_stream *stream, void *arg);

typedef struct tn_tcp_serve_opts {
    tn_stream_fn *serve;     /* positional */
    void *arg;               /* positional: passed to it */
    const char *host;        /* an address or a name of this machine; NULL or "": all interfaces */
    int port;                /* 0 lets the system choose one */
    const char *unix_socket; /* listen on this path instead; "@name" lies in Linux's abstract namespace */
    bool reuse_port;         /* SO_REUSEPORT: several processes on one port */
    int backlog;             /* of the listening socket; default 4,096, as far as the system allows */
    int inherited_fd;        /* adopt this listening descriptor instead (0: none) */
    const int *sockets;      /* or these, from tn_bind_sockets: open them before tn_fork_workers, and every worker serves them */
    size_t sockets_n;        /* how many; they belong to the server from here on, even on failure */
    double idle_timeout;     /* of each stream: see tn_stream_set_idle_timeout; 0: none */
    size_t read_buffer_max;  /* of each stream: see tn_stream_new */
    size_t write_buffer_max;
    tn_tls *tls;              /* over TLS: connections begin after the handshake; borrowed until serving ends */
    double handshake_timeout; /* seconds; default 60 */
    size_t connections_max;   /* more wait in the system's queue; default 50000 */
    double grace;             /* seconds that connections get to end by themselves when serving ends; default 0 */
    void (*on_start)(tn_loop *loop, int port, void *arg); /* listening: the port that was chosen; `arg` is the one above */
    tn_error *err;                                        /* filled with a sentence when there is no listening; may be NULL */
    char end_;
} tn_tcp_serve_opts;

/*
 * Listen, and serve every connection until this coroutine is cancelled (or its deadline passes): then no more are accepted, those
 * that are open get `grace` seconds, and what is left is cancelled and waited for.
 *
 * Returns TN_ECANCELED or TN_ETIMEDOUT then, or at once the error for which there can be no listening.
 */
#ifndef __cplusplus
#define tn_tcp_serve(...) tn_tcp_serve_(&(tn_tcp_serve_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_tcp_serve_opts, end_))
#endif
TN_API int tn_tcp_serve_(const tn_tcp_serve_opts *opts, size_t opts_size);

#ifdef __cplusplus
} /* extern "C" */

/* C++: tn_tcp_serve(echo, nullptr, opts). */
static inline int tn_tcp_serve(tn_stream_fn *serve, void *arg, tn_tcp_serve_opts opts = tn_tcp_serve_opts())
{
    opts.serve = serve;
    opts.arg = arg;
    return tn_tcp_serve_(&opts, offsetof(tn_tcp_serve_opts, end_));
}
#endif

#endif
