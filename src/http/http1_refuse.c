/*
 * Refusals: what cannot be served gets a complete error response, `Connection: close`, and nothing behind it is ever answered.
 */
#include <stdio.h>

#include "error_page.h"
#include "http1_parts.h"
#include "room.h"
#include "status.h"

static void say(const tn__http1 *c, int status, const char *reason)
{
    char ip[TN_ADDR_TEXT_BYTES];
    tn_str from = tn__http1_remote_ip(c, ip);
    const tn__report *report = &tn__http1_loop(c)->report;
    if (status == 408)
        TN__SAY(report, TN_LOG_INFO, TN_LOG_GENERAL, TN_FMT ": %s", TN_ARG(from), reason);
    else
        TN__SAY(report, TN_LOG_INFO, TN_LOG_GENERAL, "Malformed HTTP message from " TN_FMT ": %s", TN_ARG(from), reason);
}

/* The whole response in one piece. Without memory for it the connection just closes. */
static void answer(tn__http1 *c, int status)
{
    enum { HEAD_BYTES = 512 };
    tn__http_room *room = tn__http_room_of(tn__http1_loop(c));
    char page[TN__ERROR_PAGE_MAX];
    size_t page_n = tn__error_page(page, status, tn__status_reason(status));
    char *out = room ? tn__stream_reserve(&c->stream, HEAD_BYTES + page_n) : NULL;
    if (!out) {
        tn__http1_close(c);
        return;
    }
    tn_str line = tn__status_line(status), common = tn__http_common(room, tn__http1_loop(c));
    int n = snprintf(out, HEAD_BYTES,
                     TN_FMT TN_FMT "Content-Type: text/html; charset=UTF-8\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                     TN_ARG(line), TN_ARG(common), page_n);
    memcpy(out + n, page, page_n);
    tn__stream_commit(&c->stream, (size_t)n + page_n);
}

/*
 * Tornado's own manners, which its tests pin: the words of its log, a status line and nothing behind it, and not even that for a peer
 * who was merely slow.
 */
static void refuse_tersely(tn__http1 *c, int status, const char *reason)
{
    char ip[TN_ADDR_TEXT_BYTES];
    tn_str from = tn__http1_remote_ip(c, ip);
    const tn__report *report = &tn__http1_loop(c)->report;
    if (status == 408) {
        if (c->exchange) TN__SAY(report, TN_LOG_INFO, TN_LOG_GENERAL, "Timeout reading body from " TN_FMT, TN_ARG(from));
        tn__http1_close(c);
        return;
    }
    if (status == 431)
        TN__SAY(report, TN_LOG_INFO, TN_LOG_GENERAL, "Unsatisfiable read, closing connection: %s", reason);
    else
        say(c, status, reason);
    tn_str line = tn__status_line(status == 431 ? 431 : 400);
    if (tn__stream_write(&c->stream, line) < 0 || tn__stream_write(&c->stream, TN_S("\r\n")) < 0) tn__http1_close(c);
    c->must_linger = true;
    if (!c->stream.closed) tn__http1_linger(c);
}

void tn__http1_refuse(tn__http1 *c, int status, const char *reason)
{
    if (c->server->dialect.terse) {
        refuse_tersely(c, status, reason);
        return;
    }
    say(c, status, reason);
    c->must_linger = true;
    answer(c, status);
    if (!c->stream.closed) tn__http1_linger(c);
}

void tn__http1_abandon(tn__http1 *c, int status, const char *reason)
{
    tn__exchange *x = c->exchange;
    bool begun = x->head_sent;
    x->broken = true;
    c->told_closed = true;
    if (begun) {
        say(c, status, reason);
        tn__http1_close(c); /* inside a response nothing else can be said */
    } else {
        tn__http1_refuse(c, status, reason);
    }
    c->server->delegate->aborted(c->server->app, x);
}
