/*
 * What does a line cost that is read and written back through streams in coroutines? Beside it, the floor: recv and send at each
 * readiness of a level-triggered epoll, and nothing else. Both are processes of their own, loaded by this one over 64 connections,
 * one line on each at a time; what counts is their processor time for each line.
 *
 *     tcp_echo [ROUNDS]
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tornado/iostream.h"

enum { CONNECTIONS = 64, LINES = 400000, WARM_UP_LINES = 20000 };
static const char line[] = "a line of forty bytes, as protocols say\n";
enum { LINE_BYTES = sizeof line - 1 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void stay_on(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* -- The two servers, on an inherited descriptor that listens -- */

static void floor_accept(int epoll, int listener)
{
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void serve_floor(int listener)
{
    static char bytes[65536];
    int epoll = epoll_create1(0);
    struct epoll_event events[256], event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                floor_accept(epoll, listener);
                continue;
            }
            ssize_t got = recv(fd, bytes, sizeof bytes, 0);
            if (got <= 0 || send(fd, bytes, (size_t)got, MSG_NOSIGNAL) != got) close(fd);
        }
    }
}

static int echo(tn_stream *s, void *arg)
{
    (void)arg;
    for (;;) {
        tn_str text;
        TN_TRY(tn_read_until(s, "\n", &text, .max = 8192));
        TN_TRY(tn_stream_write(s, text));
    }
}

static int serve_streams_task(void *arg)
{
    return tn_tcp_serve(echo, .inherited_fd = *(int *)arg, .idle_timeout = 60);
}

static void serve_streams(int listener)
{
    tn_run(serve_streams_task, &listener);
}

/* -- The load -- */

static int connect_to(const struct sockaddr_in *address)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void exchange(const int *fds, int lines)
{
    char answer[LINE_BYTES];
    for (int n = 0; n < lines; n += CONNECTIONS) {
        for (int i = 0; i < CONNECTIONS; i++)
            if (send(fds[i], line, LINE_BYTES, MSG_NOSIGNAL) != LINE_BYTES) die("send");
        for (int i = 0; i < CONNECTIONS; i++)
            if (recv(fds[i], answer, LINE_BYTES, MSG_WAITALL) != LINE_BYTES || memcmp(answer, line, LINE_BYTES) != 0) die("recv");
    }
}

/* Processor time of a server for `lines` lines, its start and end included, in seconds. */
static double run(void (*serve)(int listener), int lines)
{
    int fds[CONNECTIONS], listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, n) < 0 || listen(listener, CONNECTIONS) < 0) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &n);
    pid_t child = fork();
    if (child == 0) {
        stay_on(0);
        serve(listener);
        _exit(1);
    }
    close(listener);
    for (int i = 0; i < CONNECTIONS; i++) fds[i] = connect_to(&address);
    exchange(fds, lines);
    for (int i = 0; i < CONNECTIONS; i++) close(fds[i]);
    struct rusage used;
    kill(child, SIGKILL);
    wait4(child, NULL, 0, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Nanoseconds for each line, without what start and end cost. */
static double cost(void (*serve)(int listener))
{
    double few = run(serve, WARM_UP_LINES), many = run(serve, WARM_UP_LINES + LINES);
    return (many - few) / LINES * 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    enum { ROUNDS_MAX = 50 };
    double ratios[ROUNDS_MAX];
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = 5;
    stay_on(1);
    printf("nanoseconds of processor time for each line of %d bytes, %d connections\n", LINE_BYTES, CONNECTIONS);
    for (int i = 0; i < rounds; i++) {
        double floor = cost(serve_floor), streams = cost(serve_streams);
        ratios[i] = streams / floor;
        printf("floor %6.0f   streams %6.0f   ratio %.2f\n", floor, streams, ratios[i]);
        fflush(stdout);
    }
    qsort(ratios, (size_t)rounds, sizeof *ratios, by_value);
    printf("median ratio %.2f (goal 1.25)\n", ratios[rounds / 2]);
    return 0;
}
