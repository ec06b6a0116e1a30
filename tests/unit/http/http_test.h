/*
 * What the tests of connections and of applications share: a client on a socket pair that tells what it heard in one line of text.
 *
 * "200 hello|404 <96 bytes> (close)|end" is two whole responses, the second with `Connection: close`, and then the end of the
 * connection. Interim responses show as "100". A response that is not yet complete shows as "+17 bytes", a broken connection as
 * "reset". Bodies of more than 40 bytes show as their number.
 */
#ifndef TN_TESTS_HTTP_TEST_H
#define TN_TESTS_HTTP_TEST_H

#include "core/core_test.h"

#include <stdlib.h>

enum { CLIENT_BYTES = 1 << 22, CLIENT_LINE = 16384, CLIENT_BODY_SHOWN = 40 };

typedef struct client {
    tn_loop *loop;
    int fd;
    bool ended, broken;
    bool head; /* the next response answers a HEAD */
    char *in;
    size_t n;
    char line[CLIENT_LINE];
} client;

__attribute__((unused)) static void client_init(client *c, tn_loop *loop, int fd)
{
    *c = (client){.loop = loop, .fd = fd, .in = malloc(CLIENT_BYTES + 1)};
    assert_non_null(c->in);
}

__attribute__((unused)) static void client_done(client *c)
{
    if (c->fd >= 0) close(c->fd);
    free(c->in);
    c->fd = -1;
    c->in = NULL;
}

/* Send, in as many pieces as the socket takes, and let the server work. */
__attribute__((unused)) static void client_send(client *c, const char *p, size_t n)
{
    for (int turn = 0; n > 0; turn++) {
        assert_true(turn < 10000);
        ssize_t sent = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        }
        test_turns(c->loop, 1);
    }
    test_turns(c->loop, 3);
}

__attribute__((unused)) static void client_say(client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

__attribute__((unused)) static void client_half_close(client *c)
{
    shutdown(c->fd, SHUT_WR);
    test_turns(c->loop, 4);
}

__attribute__((unused)) static void client_leave(client *c)
{
    close(c->fd);
    c->fd = -1;
    test_turns(c->loop, 4);
}

/* Take what has come, and go on as long as more comes. */
__attribute__((unused)) static void client_read(client *c)
{
    for (;;) {
        ssize_t n = recv(c->fd, c->in + c->n, CLIENT_BYTES - c->n, MSG_DONTWAIT);
        if (n > 0) {
            c->n += (size_t)n;
        } else {
            c->ended = n == 0;
            c->broken = n < 0 && errno != EAGAIN;
            break;
        }
        test_turns(c->loop, 1);
    }
    c->in[c->n] = 0;
}

static const char *client_field(const char *head, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') return line + 2 + n + 2;
    return NULL;
}

/* Join the chunks at `p` in place. Returns the bytes they took with their framing, 0 when they are incomplete. */
static size_t client_unchunk(char *p, size_t n, size_t *body)
{
    char *out = p;
    size_t at = 0;
    *body = 0;
    for (;;) {
        char *eol = memmem(p + at, n - at, "\r\n", 2);
        if (!eol) return 0;
        size_t size = strtoul(p + at, NULL, 16);
        at = (size_t)(eol + 2 - p);
        if (n - at < size + 2) return 0;
        assert_memory_equal(p + at + size, "\r\n", 2);
        memmove(out + *body, p + at, size);
        *body += size;
        at += size + 2;
        if (size == 0) return at;
    }
}

/* One response at `p`, onto the line. Returns its length, 0 when it is incomplete. */
static size_t client_response(client *c, char *p, size_t n, char *line)
{
    char *blank = memmem(p, n, "\r\n\r\n", 4);
    if (!blank) return 0;
    size_t head = (size_t)(blank + 4 - p), left = n - head, body = 0, taken = 0;
    assert_memory_equal(p, "HTTP/1.1 ", 9);
    int status = atoi(p + 9);
    *blank = 0;
    const char *length = client_field(p, "Content-Length"), *coding = client_field(p, "Transfer-Encoding");
    const char *connection = client_field(p, "Connection");
    assert_false(length && coding);
    bool closes = connection && strncmp(connection, "close", 5) == 0;
    bool none = c->head || status < 200 || status == 204 || status == 304;
    *blank = '\r';
    if (none) {
        if (status >= 200) c->head = false;
    } else if (coding) {
        char *copy = malloc(left + 1);
        memcpy(copy, p + head, left);
        taken = client_unchunk(copy, left, &body);
        if (taken) memcpy(p + head, copy, body);
        free(copy);
        if (!taken) return 0;
    } else if (length) {
        taken = body = strtoul(length, NULL, 10);
        if (left < body) return 0;
    } else {
        if (!c->ended) return 0;
        taken = body = left;
    }
    int at = sprintf(line, "%d", status);
    if (body > CLIENT_BODY_SHOWN)
        at += sprintf(line + at, " <%zu bytes>", body);
    else if (body > 0)
        at += sprintf(line + at, " %.*s", (int)body, p + head);
    if (closes) sprintf(line + at, " (close)");
    return head + taken;
}

/* What was heard since the last time. */
__attribute__((unused)) static const char *client_hear(client *c)
{
    size_t at = 0;
    client_read(c);
    c->line[0] = 0;
    while (at < c->n) {
        char *end = c->line + strlen(c->line);
        assert_true((size_t)(end - c->line) < CLIENT_LINE - 200);
        if (at) *end++ = '|';
        size_t n = client_response(c, c->in + at, c->n - at, end);
        if (n == 0) {
            sprintf(end, "+%zu bytes", c->n - at);
            at = c->n;
        }
        at += n;
    }
    if (c->ended || c->broken) sprintf(c->line + strlen(c->line), "%s%s", at ? "|" : "", c->ended ? "end" : "reset");
    c->n = 0;
    return c->line;
}

/* What was heard, as it came. */
__attribute__((unused)) static const char *client_raw(client *c)
{
    client_read(c);
    c->n = 0;
    return c->in;
}

#define assert_heard(c, expected) assert_string_equal(client_hear(c), (expected))

#endif
