/* Sends every line back, over TLS: demos/tls_echo PORT CERTIFICATE [KEY]. SIGHUP makes it read the files again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <tornado/iostream.h>

static int echo(tn_stream *s, void *arg)
{
    tn_str line;
    (void)arg;
    for (;;) {
        TN_TRY(tn_read_until(s, "\n", &line, .max = 8192));
        TN_TRY(tn_stream_write(s, line));
    }
}

static void announce(tn_loop *loop, int port, void *arg)
{
    (void)loop, (void)arg;
    printf("Listening on port %d\n", port);
    fflush(stdout);
}

static void read_again(void *tls, int signum)
{
    tn_error err;
    (void)signum;
    if (tn_tls_reload(tls, &err) < 0) fprintf(stderr, "%s\n", err.text);
}

static int serve(void *arg)
{
    char **argv = arg;
    tn_error err = {0};
    tn_tls *tls;
    int e = tn_tls_new(&tls, &err, .server = true, .cert_file = argv[2], .key_file = argv[3]);
    if (e == TN_OK) {
        tn_signal_watch(tn_loop_current(), SIGHUP, read_again, tls);
        e = tn_tcp_serve(echo, .port = atoi(argv[1]), .tls = tls, .idle_timeout = 60, .on_start = announce, .err = &err);
        tn_signal_unwatch(tn_loop_current(), SIGHUP);
        tn_tls_free(tls);
    }
    if (err.code) fprintf(stderr, "%s\n", err.text);
    return e;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s PORT CERTIFICATE [KEY]\n", argv[0]);
        return 2;
    }
    return tn_run(serve, argv) < 0;
}
