/*
 * The response of a request: status, headers and body as the handler makes them, and the moment when they are handed over.
 *
 * Nothing is sent before the first flush or the end; until then everything can be changed. What is handed over at the end in one
 * piece gets a Content-Length and, where Tornado gives one, an Etag.
 */
#include <stdarg.h>
#include <stdio.h>

#include "http/range.h"
#include "http/room.h"
#include "http/status.h"
#include "req.h"

int tn__respond_reset(tn_req *r)
{
    r->status = 200;
    r->reason = (tn_str){0};
    r->content_type = TN_S("text/html; charset=UTF-8");
    r->etag = (tn_str){0};
    r->common = true;
    r->headers = (tn__headers){0};
    r->content_length = -1;
    tn__buf_clear(&r->x->out);
    bool trusted = r->failing < 2; /* our own last word does not depend on the handler */
    return trusted && r->slots->set_default_headers ? r->slots->set_default_headers(r) : TN_OK;
}

/* May status and fields still be changed? */
static int changeable(const tn_req *r)
{
    return r->x->head_sent ? TN_EHEADERS : TN_OK;
}

int tn_clear(tn_req *r)
{
    TN_TRY(changeable(r));
    return tn__respond_reset(r);
}

/* A reason phrase of RFC 9112, 4; and no '<', so that no error page shows markup. */
static bool valid_reason(tn_str reason)
{
    for (size_t i = 0; i < reason.n; i++) {
        unsigned char c = (unsigned char)reason.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f || c == '<') return false;
    }
    return true;
}

int tn_set_status(tn_req *r, int status, const char *reason)
{
    TN_TRY(changeable(r));
    if (status < 200 || status > 599) return TN_EINVAL; /* interim responses are the connection's business */
    tn_str kept = {0};
    if (reason) {
        tn_str text = tn_z(reason);
        kept = valid_reason(text) ? tn__arena_copy(tn__req_arena(r), text.p, text.n) : TN_S("Unknown");
        if (!kept.p) return TN_ENOMEM;
    }
    r->status = status;
    r->reason = kept;
    return TN_OK;
}

int tn_get_status(const tn_req *r)
{
    return r->status;
}

/* Which of the fields that are not in the list is this? */
typedef enum special { NOT_SPECIAL, CONTENT_TYPE, ETAG, SERVER_OR_DATE, FRAMING } special;

static special special_of(tn_str name)
{
    switch (name.n) {
    case 4:
        if (tn_str_caseeq(name, TN_S("Etag"))) return ETAG;
        return tn_str_caseeq(name, TN_S("Date")) ? SERVER_OR_DATE : NOT_SPECIAL;
    case 6: return tn_str_caseeq(name, TN_S("Server")) ? SERVER_OR_DATE : NOT_SPECIAL;
    case 10: return tn_str_caseeq(name, TN_S("Connection")) ? FRAMING : NOT_SPECIAL;
    case 12: return tn_str_caseeq(name, TN_S("Content-Type")) ? CONTENT_TYPE : NOT_SPECIAL;
    case 14: return tn_str_caseeq(name, TN_S("Content-Length")) ? FRAMING : NOT_SPECIAL;
    case 17: return tn_str_caseeq(name, TN_S("Transfer-Encoding")) ? FRAMING : NOT_SPECIAL;
    default: return NOT_SPECIAL;
    }
}

/* Server and Date as ordinary fields, so that one of them can be changed. */
static int write_common_out(tn_req *r)
{
    if (!r->common) return TN_OK;
    tn__arena *arena = tn__req_arena(r);
    tn_str server, date;
    TN_TRY(tn__http_common_values(tn__req_loop(r), &server, &date));
    TN_TRY(tn__headers_set(&r->headers, arena, TN_S("Server"), server));
    TN_TRY(tn__headers_set(&r->headers, arena, TN_S("Date"), date));
    r->common = false;
    return TN_OK;
}

/* One of the fields that have a place of their own. */
static int keep_value(tn_req *r, tn_str value, tn_str *place)
{
    if (!tn__is_field_value(value) || tn_str_trim(value).n != value.n) return TN_EINVAL;
    tn_str kept = tn__arena_copy(tn__req_arena(r), value.p, value.n);
    if (!kept.p) return TN_ENOMEM;
    *place = kept;
    return TN_OK;
}

static int put_header(tn_req *r, tn_str name, tn_str value, int (*put)(tn__headers *, tn__arena *, tn_str, tn_str))
{
    TN_TRY(changeable(r));
    switch (special_of(name)) {
    case FRAMING: return TN_EMISUSE;
    case CONTENT_TYPE: return keep_value(r, value, &r->content_type);
    case ETAG: return keep_value(r, value, &r->etag);
    case SERVER_OR_DATE: TN_TRY(write_common_out(r)); break;
    case NOT_SPECIAL: break;
    }
    return put(&r->headers, tn__req_arena(r), name, value);
}

int tn_set_header_s(tn_req *r, tn_str name, tn_str value)
{
    return put_header(r, name, value, tn__headers_set);
}

int tn_add_header_s(tn_req *r, tn_str name, tn_str value)
{
    return put_header(r, name, value, tn__headers_add);
}

int tn_clear_header_s(tn_req *r, tn_str name)
{
    TN_TRY(changeable(r));
    special s = special_of(name);
    if (s == CONTENT_TYPE) r->content_type = (tn_str){0};
    if (s == ETAG) r->etag = (tn_str){0};
    if (s == SERVER_OR_DATE) TN_TRY(write_common_out(r));
    tn__headers_remove(&r->headers, name);
    return TN_OK;
}

int tn_set_content_length(tn_req *r, uint64_t bytes)
{
    TN_TRY(changeable(r));
    if (bytes > INT64_MAX) return TN_EINVAL;
    r->content_length = (int64_t)bytes;
    return TN_OK;
}

/* Is there room for `n` more bytes that the peer has not taken? */
static int writable(const tn_req *r, size_t n)
{
    if (r->finished) return TN_EMISUSE;
    size_t waiting = r->x->out.n + r->x->conn->stream.out_bytes;
    size_t max = r->x->conn->server->opts.write_bytes_max;
    return n > max || waiting > max - n ? TN_ETOOBIG : TN_OK;
}

int tn_write_s(tn_req *r, tn_str data)
{
    TN_TRY(writable(r, data.n));
    return tn__buf_add(&r->x->out, data.p, data.n);
}

int tn_printf(tn_req *r, const char *format, ...)
{
    TN_TRY(writable(r, 0));
    tn_buf *out = &r->x->out;
    size_t before = out->n;
    va_list args;
    va_start(args, format);
    int e = tn__buf_vprintf(out, format, args);
    va_end(args);
    if (e == TN_OK && (e = writable(r, 0)) < 0) out->n = before;
    return e;
}

/* Fix status and fields. */
static int send_head(tn_req *r, int64_t content_length)
{
    tn__response_head head = {
        .status = r->status,
        .reason = r->reason,
        .content_type = r->content_type,
        .etag = r->etag,
        .common = r->common,
        .headers = &r->headers,
        .content_length = content_length,
    };
    return tn__http1_head(r->x, &head);
}

static bool bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* What must not describe a body that is not there; Allow, Etag and the rest stay. */
static void drop_body_fields(tn_req *r)
{
    r->content_type = (tn_str){0};
    tn__headers_remove(&r->headers, TN_S("Content-Encoding"));
    tn__headers_remove(&r->headers, TN_S("Content-Language"));
    if (r->x->out.n > 0 && r->status != 304)
        TN__SAY(&tn__req_loop(r)->report, TN_LOG_WARNING, TN_LOG_APPLICATION, "Body of a %d response left out", r->status);
    tn__buf_clear(&r->x->out);
}

int tn__respond_flush(tn_req *r)
{
    tn__exchange *x = r->x;
    if (!x->head_sent) {
        if (bodiless(r->status)) drop_body_fields(r);
        TN_TRY(send_head(r, r->content_length));
    }
    return tn__http1_write_take(x, &x->out);
}

/* The Etag that Tornado gives: the SHA-1 of the body. Not when the handler has set one. */
static int set_etag(tn_req *r)
{
    enum { ETAG_BYTES = 2 * TN__SHA1_BYTES + 2 };
    if (r->etag.n) return TN_OK;
    unsigned char digest[TN__SHA1_BYTES];
    char *text = tn__arena_alloc(tn__req_arena(r), ETAG_BYTES);
    if (!text) return TN_ENOMEM;
    TN_TRY(tn__sha1(tn__req_loop(r)->digester, tn__buf_str(&r->x->out), digest));
    text[0] = text[ETAG_BYTES - 1] = '"';
    tn__hex(text + 1, digest, sizeof digest);
    r->etag = tn_str_of(text, ETAG_BYTES);
    return TN_OK;
}

/* A GET or HEAD that the client's copy answers as well becomes 304: RFC 9110, 13.1.2. */
static int check_etag(tn_req *r)
{
    tn__method method = r->x->head.method_id;
    if (r->status != 200 || (method != TN__GET && method != TN__HEAD)) return TN_OK;
    TN_TRY(set_etag(r));
    tn_str asked = tn_req_header(r, "If-None-Match");
    if (asked.p && tn__etag_listed(asked, r->etag, true)) {
        r->status = 304;
        r->reason = (tn_str){0};
    }
    return TN_OK;
}

/* Everything in one piece: the length is known. */
static int finish_whole(tn_req *r)
{
    tn__exchange *x = r->x;
    TN_TRY(check_etag(r));
    bool empty = bodiless(r->status);
    if (empty) drop_body_fields(r);
    int64_t length = (int64_t)x->out.n;
    if (r->content_length >= 0 && x->out.n == 0 && x->head.method_id == TN__HEAD) length = r->content_length;
    TN_TRY(send_head(r, empty ? -1 : length));
    return tn__http1_write_take(x, &x->out);
}

int tn__respond_finish(tn_req *r)
{
    tn__exchange *x = r->x;
    TN_TRY(x->head_sent ? tn__http1_write_take(x, &x->out) : finish_whole(r));
    return tn__http1_end(x);
}

int tn_finish(tn_req *r)
{
    if (r->finished) return TN_EMISUSE;
    TN_TRY(tn__respond_finish(r));
    r->finished = true;
    return TN_OK;
}

int tn_finish_now(tn_req *r)
{
    if (!r->finished) TN_TRY(tn_finish(r));
    return TN_EFINISH;
}

int tn_redirect_s(tn_req *r, tn_str url, bool permanent)
{
    TN_TRY(changeable(r));
    TN_TRY(tn_set_header(r, "Location", url));
    TN_TRY(tn_set_status(r, permanent ? 301 : 302, NULL));
    return tn_finish(r);
}
