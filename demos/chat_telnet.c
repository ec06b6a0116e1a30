/* A chat for telnet: demos/chat_telnet [PORT]. What one writes, all others read. */
#include <stdio.h>
#include <stdlib.h>
#include <tornado/iostream.h>

enum { GUESTS_MAX = 100 };

static tn_stream *guests[GUESTS_MAX];
static size_t guests_n;

/* Nobody waits for a guest who does not read: the queue of one is bounded, and who lets it fill up misses something. */
static void tell_others(const tn_stream *from, tn_str line)
{
    for (size_t i = 0; i < guests_n; i++)
        if (guests[i] != from) tn_future_unref(tn_stream_write_start(guests[i], line));
}

static int talk(tn_stream *s)
{
    tn_str line;
    TN_TRY(tn_stream_write(s, "Welcome. Say something.\r\n"));
    for (;;) {
        TN_TRY(tn_read_until(s, "\n", &line, .max = 1000));
        tell_others(s, line);
    }
}

static int visit(tn_stream *s, void *arg)
{
    (void)arg;
    if (guests_n == GUESTS_MAX) return tn_stream_write(s, "We are full.\r\n");
    guests[guests_n++] = s;
    tell_others(s, TN_S("* Somebody comes in\r\n"));
    int e = talk(s);
    size_t place = 0;
    while (guests[place] != s) place++;
    guests[place] = guests[--guests_n];
    tell_others(s, TN_S("* Somebody leaves\r\n"));
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
    return tn_tcp_serve(visit, .port = *(int *)arg, .write_buffer_max = 65536, .on_start = announce);
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 9001;
    return tn_run(serve, &port) < 0;
}
