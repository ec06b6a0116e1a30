/* Sends every line back: demos/tcp_echo [PORT] */
#include <stdio.h>
#include <stdlib.h>
#include <tornado/iostream.h>

static int echo(tn_stream *s, void *arg)
{
    (void)arg;
    for (;;) {
        tn_str line;
        int e = tn_read_until(s, "\n", &line, .max = 8192);
        if (e == TN_EOF) return 0; /* the server closes the stream for us */
        TN_TRY(e);
        TN_TRY(tn_stream_write(s, line)); /* waits while the peer is slow */
    }
}

static void announce(tn_loop *loop, int port, void *arg)
{
    (void)loop, (void)arg;
    printf("Listening on port %d\n", port);
    fflush(stdout);
}

static int serve(void *arg)
{
    return tn_tcp_serve(echo, .host = "127.0.0.1", .port = *(int *)arg, .idle_timeout = 60, .on_start = announce);
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 9000;
    int e = tn_run(serve, &port);
    fprintf(stderr, "%s\n", tn_strerror(e));
    return 1;
}
