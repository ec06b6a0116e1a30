/* Which ports of this machine are open: demos/port_scan [FIRST [LAST]]. It looks at 127.0.0.1 and nowhere else. */
#include <stdio.h>
#include <stdlib.h>
#include <tornado/iostream.h>

enum { AT_ONCE = 200, PORT_MAX = 65535 };

typedef struct range {
    int first, last;
} range;

static bool open_ports[PORT_MAX + 1];

static int probe(void *arg)
{
    bool *is_open = arg;
    tn_stream *s;
    int e = tn_connect(&s, "127.0.0.1", (int)(is_open - open_ports), .timeout = 1);
    if (e == TN_ECANCELED || e == TN_ENOMEM) return e;
    *is_open = e == TN_OK;
    if (*is_open) tn_stream_free(s);
    return 0;
}

static int scan(void *arg)
{
    const range *r = arg;
    tn_group g;
    tn_group_init(&g, .max_running = AT_ONCE);
    for (int port = r->first; port <= r->last; port++) tn_go(&g, probe, &open_ports[port]);
    TN_TRY(tn_group_join(&g));
    for (int port = r->first; port <= r->last; port++)
        if (open_ports[port]) printf("%d\n", port);
    return 0;
}

int main(int argc, char **argv)
{
    range r = {argc > 1 ? atoi(argv[1]) : 1, argc > 2 ? atoi(argv[2]) : PORT_MAX};
    if (r.first < 1 || r.last > PORT_MAX) {
        fprintf(stderr, "usage: %s [FIRST [LAST]]\n", argv[0]);
        return 2;
    }
    int e = tn_run(scan, &r);
    if (e < 0) fprintf(stderr, "%s\n", tn_strerror(e));
    return e < 0;
}
