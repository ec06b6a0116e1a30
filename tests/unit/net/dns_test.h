/*
 * A small name server on loopback, in a thread of its own, over UDP and TCP. The first label of a name says what becomes of the
 * question: see dns_answer. For the tests of what asks.
 */
#ifndef TN_TESTS_DNS_TEST_H
#define TN_TESTS_DNS_TEST_H

#include "test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_A = 1, DNS_AAAA = 28, DNS_CONNS = 8, DNS_HEADER = 12, DNS_MESSAGE_MAX = 65535 };

typedef struct dns_server {
    pthread_t thread;
    int udp, tcp, stop[2];
    int conns[DNS_CONNS]; /* -1: none */
    char address[32];     /* "127.0.0.1:port" */
    atomic_int questions;
} dns_server;

typedef struct dns_question {
    char label[64]; /* the first of its name, in small letters */
    unsigned type;
    size_t end; /* of the question in the message */
    bool over_tcp;
    int number; /* how many came before it */
} dns_question;

static bool dns_read_question(const unsigned char *p, size_t n, dns_question *q)
{
    size_t at = DNS_HEADER;
    if (n < DNS_HEADER || at >= n || p[at] > 63 || at + 1 + p[at] > n) return false;
    snprintf(q->label, sizeof q->label, "%.*s", p[at], (const char *)p + at + 1);
    while (at < n && p[at]) at += 1 + p[at];
    if (at + 5 > n) return false;
    q->type = p[at + 1] << 8 | p[at + 2];
    q->end = at + 5;
    return true;
}

/* Addresses 10.0.x.y, or fd00::x:y, each naming the host of the question; how many bytes. */
static size_t dns_put_addresses(unsigned char *p, unsigned type, int count)
{
    size_t at = 0, bytes = type == DNS_A ? 4 : 16;
    for (int i = 1; i <= count; i++) {
        const unsigned char head[] = {0xc0, DNS_HEADER, 0, (unsigned char)type, 0, 1, 0, 0, 0, 60, 0, (unsigned char)bytes};
        unsigned char address[16] = {type == DNS_A ? 10 : 0xfd};
        address[bytes - 2] = (unsigned char)(i >> 8);
        address[bytes - 1] = (unsigned char)i;
        memcpy(p + at, head, sizeof head);
        memcpy(p + at + sizeof head, address, bytes);
        at += sizeof head + bytes;
    }
    return at;
}

/* One pseudo-random number after the other, the same in each run. */
static unsigned dns_random(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16;
}

/* Spoil a message behind its number, each name in a way of its own. Returns its new length. */
static size_t dns_spoil(unsigned char *p, size_t n, const char *label)
{
    unsigned state = (unsigned)atoi(label + strlen("rubbish")) + 1;
    for (unsigned times = dns_random(&state) % 16; times > 0; times--)
        p[2 + dns_random(&state) % (n - 2)] = (unsigned char)dns_random(&state);
    return dns_random(&state) % 2 ? n : dns_random(&state) % n;
}

static bool dns_is(const dns_question *q, const char *label)
{
    return strncmp(q->label, label, strlen(label)) == 0;
}

/* The question in `p` becomes the answer there. Returns its length; 0 for silence. */
static size_t dns_answer(unsigned char *p, const dns_question *q)
{
    int count = 0, code = 0;
    bool huge = dns_is(q, "huge") || dns_is(q, "cut");
    if (dns_is(q, "silent") || (dns_is(q, "late") && q->number == 0)) return 0;
    if (dns_is(q, "missing")) code = 3;
    if (dns_is(q, "fails")) code = 2;
    if (dns_is(q, "both") || dns_is(q, "late") || dns_is(q, "rubbish") || dns_is(q, q->type == DNS_A ? "four" : "six")) count = 1;
    if (huge && q->over_tcp) count = q->type == DNS_A ? 4000 : 2300;

    const unsigned char head[] = {0x81 | (huge && !q->over_tcp ? 2 : 0), 0x80 | code, 0, 1, count >> 8, count, 0, 0, 0, 0};
    memcpy(p + 2, head, sizeof head);
    size_t n = q->end;
    if (dns_is(q, "ring")) { /* an address whose name points to itself */
        p[7] = 1;
        memcpy(p + n, (unsigned char[]){0xc0, (unsigned char)n, 0, DNS_A, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1}, 16);
        return n + 16;
    }
    n += dns_put_addresses(p + n, q->type, count);
    return dns_is(q, "rubbish") ? dns_spoil(p, n, q->label) : n;
}

static void dns_serve_udp(dns_server *s, unsigned char *p)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    dns_question q = {0};
    ssize_t n = recvfrom(s->udp, p, DNS_MESSAGE_MAX, 0, (struct sockaddr *)&from, &from_len);
    if (n < 0 || !dns_read_question(p, (size_t)n, &q)) return;
    q.number = atomic_fetch_add(&s->questions, 1);
    size_t length = dns_answer(p, &q);
    if (length) sendto(s->udp, p, length, 0, (struct sockaddr *)&from, from_len);
}

/* False when the connection is over. */
static bool dns_serve_tcp(dns_server *s, int fd, unsigned char *p)
{
    unsigned char size[2];
    dns_question q = {.over_tcp = true};
    if (recv(fd, size, 2, MSG_WAITALL) != 2) return false;
    ssize_t n = recv(fd, p, (size_t)(size[0] << 8 | size[1]), MSG_WAITALL);
    if (n < 0 || !dns_read_question(p, (size_t)n, &q)) return false;
    q.number = atomic_fetch_add(&s->questions, 1);
    size_t length = dns_answer(p, &q);
    size[0] = (unsigned char)(length >> 8);
    size[1] = (unsigned char)length;
    if (dns_is(&q, "cut")) length /= 2;
    bool sent = send(fd, size, 2, MSG_NOSIGNAL) == 2 && send(fd, p, length, MSG_NOSIGNAL) == (ssize_t)length;
    return sent && !dns_is(&q, "cut");
}

static void dns_accept(dns_server *s)
{
    int fd = accept4(s->tcp, NULL, NULL, SOCK_CLOEXEC);
    for (int i = 0; i < DNS_CONNS && fd >= 0; i++) {
        if (s->conns[i] >= 0) continue;
        s->conns[i] = fd;
        return;
    }
    if (fd >= 0) close(fd);
}

static void *dns_main(void *arg)
{
    static unsigned char message[2 * DNS_MESSAGE_MAX];
    dns_server *s = arg;
    for (;;) {
        struct pollfd polled[3 + DNS_CONNS] = {{s->stop[0], POLLIN, 0}, {s->udp, POLLIN, 0}, {s->tcp, POLLIN, 0}};
        for (int i = 0; i < DNS_CONNS; i++) polled[3 + i] = (struct pollfd){s->conns[i], POLLIN, 0};
        poll(polled, 3 + DNS_CONNS, -1);
        if (polled[0].revents) return NULL;
        if (polled[1].revents) dns_serve_udp(s, message);
        for (int i = 0; i < DNS_CONNS; i++) {
            if (!polled[3 + i].revents || dns_serve_tcp(s, s->conns[i], message)) continue;
            close(s->conns[i]);
            s->conns[i] = -1;
        }
        if (polled[2].revents) dns_accept(s);
    }
}

/* UDP and TCP with one number: what the system gave to the first may be taken for the other, and then it is tried again. */
static void dns_start(dns_server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    atomic_store(&s->questions, 0);
    for (int i = 0; i < DNS_CONNS; i++) s->conns[i] = -1;
    for (;;) {
        at.sin_port = 0;
        s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->udp, (struct sockaddr *)&at, len), 0);
        assert_int_equal(getsockname(s->udp, (struct sockaddr *)&at, &len), 0);
        if (bind(s->tcp, (struct sockaddr *)&at, len) == 0) break;
        close(s->udp);
        close(s->tcp);
    }
    assert_int_equal(listen(s->tcp, 16), 0);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->stop), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, dns_main, s), 0);
}

static void dns_stop(dns_server *s)
{
    close(s->stop[1]);
    pthread_join(s->thread, NULL);
    close(s->stop[0]);
    close(s->udp);
    close(s->tcp);
    for (int i = 0; i < DNS_CONNS; i++)
        if (s->conns[i] >= 0) close(s->conns[i]);
}

#endif
