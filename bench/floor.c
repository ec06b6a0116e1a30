/*
 * The floor: the least that a server over HTTP/1.1 can do on this system. `make bench` measures everything against it.
 *
 * Level-triggered epoll, one recv and one send for each readiness, no parsing, no limits, no timeouts, nothing of the library. The
 * length of the first request on a connection tells how many pipelined ones a later read holds. So it is right only for clients that
 * repeat one request, as load generators do, and what it saves by that is what a real server pays for being one.
 *
 *     floor --port=9001
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 512,
    CONNECTIONS_MAX = 70000,
    IN_BYTES = 65536,
    OUT_BYTES = 262144,
    BACKLOG = 4096,
};

static char in[IN_BYTES], out[OUT_BYTES];
static char response[512];
static size_t response_n;
static size_t request_n[CONNECTIONS_MAX]; /* length of a connection's first request, by descriptor */

/* The response with its Date; made anew once a second. */
static void refresh_response(void)
{
    static time_t made;
    time_t now = time(NULL);
    struct tm utc;
    char date[64];
    if (now == made) return;
    made = now;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    response_n = (size_t)snprintf(response, sizeof response,
                                  "HTTP/1.1 200 OK\r\nServer: T\r\nDate: %s\r\nContent-Type: text/html; charset=UTF-8\r\n"
                                  "Content-Length: 12\r\n\r\nHello, world",
                                  date);
}

static int listen_on(int port)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0) {
        perror("floor");
        exit(1);
    }
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int epoll, int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= CONNECTIONS_MAX) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        request_n[fd] = 0;
        watch(epoll, fd);
    }
}

/* How many requests `n` bytes of input hold. */
static size_t count_requests(int fd, size_t n)
{
    if (!request_n[fd]) {
        const char *end = memmem(in, n, "\r\n\r\n", 4);
        request_n[fd] = end ? (size_t)(end - in) + 4 : n;
    }
    return n > request_n[fd] ? n / request_n[fd] : 1;
}

static void answer(int fd)
{
    ssize_t n = recv(fd, in, sizeof in, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) return;
        close(fd);
        return;
    }
    size_t out_n = 0;
    for (size_t i = count_requests(fd, (size_t)n); i > 0 && out_n + response_n <= sizeof out; i--) {
        memcpy(out + out_n, response, response_n);
        out_n += response_n;
    }
    /* What a full socket does not take is lost: load generators read what they ask for. */
    if (send(fd, out, out_n, MSG_NOSIGNAL) < 0 && errno != EAGAIN) close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX];
    if (argc != 2 || strncmp(argv[1], "--port=", 7) != 0) {
        fputs("usage: floor --port=PORT\n", stderr);
        return 1;
    }
    int listener = listen_on(atoi(argv[1] + 7));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
        refresh_response();
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                answer(events[i].data.fd);
        }
    }
}
