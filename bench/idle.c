/*
 * What does a connection cost that does nothing? Memory of a server's process for each of many idle connections that wait in
 * tn_read_until: over plain TCP, and over TLS.
 *
 *     idle CERTIFICATE KEY [CONNECTIONS]
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tornado/iostream.h"

typedef struct job {
    int listener;
    const char *cert, *key; /* NULL: no TLS */
    struct sockaddr_in address;
    int connections;
    pid_t server;
} job;

static int wait_for_lines(tn_stream *s, void *arg)
{
    (void)arg;
    for (;;) {
        tn_str line;
        TN_TRY(tn_read_until(s, "\n", &line, .max = 8192));
        TN_TRY(tn_stream_write(s, line));
    }
}

static int serve(void *arg)
{
    const job *j = arg;
    tn_tls *tls = NULL;
    tn_error err;
    if (j->cert && tn_tls_new(&tls, &err, .server = true, .cert_file = j->cert, .key_file = j->key) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return TN_ETLS;
    }
    return tn_tcp_serve(wait_for_lines, .inherited_fd = j->listener, .tls = tls, .connections_max = 1 << 20);
}

/* Resident kibibytes of a process. */
static long resident(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
    if (file) fclose(file);
    return kib;
}

/* One line there and back, so that everything a connection needs has been made. */
static int greet(tn_stream *s)
{
    tn_str line;
    TN_TRY(tn_stream_write(s, "hello\n"));
    return tn_read_until(s, "\n", &line);
}

static int connect_all(void *arg)
{
    const job *j = arg;
    tn_tls *tls = NULL;
    tn_stream **streams = calloc((size_t)j->connections, sizeof *streams);
    int result = tn_tls_new(&tls, NULL, .verify = TN_TLS_VERIFY_NONE);
    long before = resident(j->server);
    for (int i = 0; i < j->connections && result >= 0; i++) {
        result = tn_connect(&streams[i], "127.0.0.1", ntohs(j->address.sin_port), .tls = j->cert != NULL,
                            .tls_context = j->cert ? tls : NULL);
        if (result >= 0) result = greet(streams[i]);
    }
    long after = resident(j->server);
    printf("%-5s %d connections: %.1f KiB each\n", j->cert ? "TLS" : "plain", j->connections,
           (double)(after - before) / j->connections);
    for (int i = 0; i < j->connections; i++) tn_stream_free(streams[i]);
    tn_tls_free(tls);
    free(streams);
    return result;
}

static int measure(job *j)
{
    socklen_t n = sizeof j->address;
    j->listener = socket(AF_INET, SOCK_STREAM, 0);
    j->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(j->listener, (struct sockaddr *)&j->address, n) < 0 || listen(j->listener, 1024) < 0) return -errno;
    getsockname(j->listener, (struct sockaddr *)&j->address, &n);
    j->server = fork();
    if (j->server == 0) _exit(tn_run(serve, j) < 0);
    close(j->listener);
    int result = tn_run(connect_all, j);
    kill(j->server, SIGKILL);
    waitpid(j->server, NULL, 0);
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s CERTIFICATE KEY [CONNECTIONS]\n", argv[0]);
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    job plain = {.connections = argc > 3 ? atoi(argv[3]) : 10000}, tls = plain;
    tls.cert = argv[1];
    tls.key = argv[2];
    int result = measure(&plain);
    if (result >= 0) result = measure(&tls);
    if (result < 0) fprintf(stderr, "%s\n", tn_strerror(result));
    return result < 0;
}
