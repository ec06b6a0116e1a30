/*
 * Responses to bytes: the head in one piece from parts prepared ahead, the body framed by its length, in chunks, or by the end of
 * the connection (RFC 9112, section 6).
 */
#include "http1_parts.h"
#include "room.h"
#include "status.h"

enum { FRAMING_BYTES_MAX = 160, CHUNK_HEAD_MAX = 20 };

static char *put(char *out, tn_str s)
{
    memcpy(out, s.p, s.n);
    return out + s.n;
}

static char *put_field(char *out, tn_str name, tn_str value)
{
    out = put(out, name);
    out = put(out, value);
    return put(out, TN_S("\r\n"));
}

static char *put_decimal(char *out, uint64_t value)
{
    char digits[20];
    int n = 0;
    do digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n > 0) *out++ = digits[--n];
    return out;
}

/* "HTTP/1.1 299 Something\r\n" for a status or a reason that is not prepared ahead. */
static char *put_status(char *out, const tn__response_head *head)
{
    if (head->reason.n == 0) {
        tn_str line = tn__status_line(head->status);
        if (line.n) return put(out, line);
    }
    out = put(out, TN_S("HTTP/1.1 "));
    out = put_decimal(out, (uint64_t)head->status);
    *out++ = ' ';
    out = put(out, head->reason.n ? head->reason : tn__status_reason(head->status));
    return put(out, TN_S("\r\n"));
}

/* How the body will be delimited. RFC 9112, 6.1 and 6.3. */
static void choose_framing(tn__exchange *x, const tn__response_head *head)
{
    bool empty = head->status < 200 || head->status == 204 || head->status == 304;
    x->bodiless = empty || x->head.method_id == TN__HEAD;
    x->content_length = empty ? -1 : head->content_length;
    x->chunked = !x->bodiless && x->content_length < 0 && x->head.minor >= 1;
    if (!x->bodiless && x->content_length < 0 && !x->chunked) x->persist = false;
    if (!x->body_read || x->conn->server->draining) x->persist = false;
}

static char *put_framing(char *out, const tn__exchange *x)
{
    if (x->content_length >= 0) {
        out = put(out, TN_S("Content-Length: "));
        out = put_decimal(out, (uint64_t)x->content_length);
        out = put(out, TN_S("\r\n"));
    } else if (x->chunked) {
        out = put(out, TN_S("Transfer-Encoding: chunked\r\n"));
    }
    bool terse = x->conn->server->dialect.terse;
    if (!x->persist && !(terse && x->head.minor == 0))
        out = put(out, TN_S("Connection: close\r\n"));
    else if (x->persist && x->head.minor == 0)
        out = put(out, terse ? TN_S("Connection: Keep-Alive\r\n") : TN_S("Connection: keep-alive\r\n"));
    return put(out, TN_S("\r\n"));
}

static bool gone(const tn__exchange *x)
{
    return x->broken || x->conn->stream.closed;
}

int tn__http1_head(tn__exchange *x, const tn__response_head *head)
{
    tn_stream *s = &x->conn->stream;
    if (gone(x)) return TN_ECLOSED;
    tn__http_room *room = tn__http_room_of(s->loop);
    size_t room_needed = FRAMING_BYTES_MAX + TN__COMMON_FIELDS_MAX + 64 + head->reason.n + head->content_type.n + head->etag.n +
                         (head->headers ? head->headers->bytes : 0);
    char *begin = room ? tn__stream_reserve(s, room_needed) : NULL;
    if (!begin) return TN_ENOMEM;

    choose_framing(x, head);
    char *out = put_status(begin, head);
    if (head->common) out = put(out, tn__http_common(room, s->loop));
    if (head->content_type.n) out = put_field(out, TN_S("Content-Type: "), head->content_type);
    if (head->etag.n) out = put_field(out, TN_S("Etag: "), head->etag);
    if (head->headers && head->headers->n) out = tn__headers_write(head->headers, out);
    out = put_framing(out, x);
    tn__stream_commit(s, (size_t)(out - begin));
    x->status = head->status;
    x->head_sent = true;
    return TN_OK;
}

/* Account for `n` more body bytes. Saying more than was announced would be taken for the next response. */
static int count(tn__exchange *x, size_t n)
{
    x->sent += (int64_t)n;
    if (x->content_length < 0 || x->sent <= x->content_length) return TN_OK;
    tn__http1_close(x->conn);
    return TN_ETOOBIG;
}

static char *put_chunk_head(char *out, size_t n)
{
    char digits[16];
    int i = 0;
    do digits[i++] = "0123456789abcdef"[n & 15];
    while (n >>= 4);
    while (i > 0) *out++ = digits[--i];
    return put(out, TN_S("\r\n"));
}

static int write_chunk_head(tn_stream *s, size_t n)
{
    char *out = tn__stream_reserve(s, CHUNK_HEAD_MAX);
    if (!out) return TN_ENOMEM;
    tn__stream_commit(s, (size_t)(put_chunk_head(out, n) - out));
    return TN_OK;
}

int tn__http1_write(tn__exchange *x, tn_str data)
{
    tn_stream *s = &x->conn->stream;
    if (gone(x)) return TN_ECLOSED;
    if (data.n == 0) return TN_OK;
    TN_TRY(count(x, data.n));
    if (x->bodiless) return TN_OK;
    if (!x->chunked) return tn__stream_write(s, data);

    char *begin = tn__stream_reserve(s, CHUNK_HEAD_MAX + data.n + 2);
    if (!begin) return TN_ENOMEM;
    char *out = put_chunk_head(begin, data.n);
    out = put(out, data);
    out = put(out, TN_S("\r\n"));
    tn__stream_commit(s, (size_t)(out - begin));
    return TN_OK;
}

int tn__http1_write_take(tn__exchange *x, tn_buf *data)
{
    tn_stream *s = &x->conn->stream;
    if (data->n < TN__TAKE_MIN || x->bodiless || gone(x)) {
        int e = tn__http1_write(x, tn__buf_str(data));
        if (e == TN_OK) tn__buf_clear(data);
        return e;
    }
    TN_TRY(count(x, data->n));
    if (x->chunked) TN_TRY(write_chunk_head(s, data->n));
    int e = tn__stream_write_take(s, data);
    if (e == TN_OK && x->chunked) e = tn__stream_write(s, TN_S("\r\n"));
    if (e < 0) tn__http1_close(x->conn); /* half a chunk is worse than none */
    return e;
}

int tn__http1_end(tn__exchange *x)
{
    if (gone(x) || x->ended) return gone(x) ? TN_ECLOSED : TN_EMISUSE;
    if (!x->bodiless && x->content_length >= 0 && x->sent < x->content_length) {
        tn__http1_close(x->conn);
        return TN_EINVAL;
    }
    if (x->chunked) {
        int e = tn__stream_write(&x->conn->stream, TN_S("0\r\n\r\n"));
        if (e < 0) {
            tn__http1_close(x->conn);
            return e;
        }
    }
    x->ended = true;
    return TN_OK;
}
