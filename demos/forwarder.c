/* Passes connections on to another place: demos/forwarder PORT HOST PORT */
#include <stdio.h>
#include <stdlib.h>
#include <tornado/iostream.h>

typedef struct direction {
    tn_stream *from, *to;
} direction;

/* Either direction ends by itself: a side that has said everything may still listen. */
static int copy(void *arg)
{
    direction *d = arg;
    tn_str data;
    int e;
    while ((e = tn_read_bytes(d->from, 65536, &data, .partial = true)) == TN_OK) TN_TRY(tn_stream_write(d->to, data));
    if (e == TN_EOF) tn_stream_shutdown_write(d->to);
    return e == TN_EOF ? TN_OK : e;
}

static int forward(tn_stream *client, void *arg)
{
    char **place = arg;
    tn_stream *server;
    tn_group g;
    TN_TRY(tn_connect(&server, place[0], atoi(place[1]), .timeout = 10));
    direction there = {client, server}, back = {server, client};
    tn_group_init(&g);
    tn_go(&g, copy, &there);
    tn_go(&g, copy, &back);
    int e = tn_group_join(&g);
    tn_stream_free(server);
    return e;
}

static void announce(tn_loop *loop, int port, void *arg)
{
    (void)loop, (void)arg;
    printf("Listening on port %d\n", port);
    fflush(stdout);
}

static int serve(void *arg)
{
    char **argv = arg;
    return tn_tcp_serve(forward, argv + 2, .host = "127.0.0.1", .port = atoi(argv[1]), .on_start = announce);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s PORT HOST PORT\n", argv[0]);
        return 2;
    }
    return tn_run(serve, argv) < 0;
}
