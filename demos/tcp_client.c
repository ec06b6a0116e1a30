/* Sends lines to a server and prints what comes back: demos/tcp_client HOST PORT LINE... */
#include <stdio.h>
#include <stdlib.h>
#include <tornado/iostream.h>

static int ask(tn_stream *s, const char *question)
{
    tn_str answer;
    TN_TRY(tn_stream_write(s, question));
    TN_TRY(tn_stream_write(s, "\n"));
    TN_TRY(tn_read_until(s, "\n", &answer, .max = 65536));
    printf(TN_FMT, TN_ARG(answer));
    return 0;
}

static int converse(void *arg)
{
    char **argv = arg;
    tn_error err;
    tn_stream *s;
    int e = tn_connect(&s, argv[1], atoi(argv[2]), .timeout = 5, .idle_timeout = 5, .err = &err);
    if (e < 0) {
        fprintf(stderr, "%s\n", err.text);
        return e;
    }
    for (char **line = argv + 3; *line && e >= 0; line++) e = ask(s, *line);
    if (e < 0) fprintf(stderr, "%s\n", tn_strerror(e));
    tn_stream_free(s);
    return e;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s HOST PORT LINE...\n", argv[0]);
        return 2;
    }
    return tn_run(converse, argv) < 0;
}
