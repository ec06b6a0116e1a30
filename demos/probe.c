/*
 * The probe: a server with one route for each thing that a test from outside may want to look at. The wire tests drive it, and so
 * can any other suite.
 */
#include <tornado/gen.h>
#include <tornado/web.h>

static int hello(tn_req *r)
{
    TN_TRY(tn_set_header(r, "Content-Type", "text/plain"));
    return tn_write(r, "Hello, world");
}

static int echo(tn_req *r)
{
    TN_TRY(tn_set_header(r, "Content-Type", "application/octet-stream"));
    return tn_write(r, tn_req_body(r));
}

/* Bytes of a message as JSON text: what is not ASCII stands for the code point of the same number. */
static json_t *latin1(tn_req *r, tn_str s)
{
    char *text = tn_req_alloc(r, 2 * s.n + 1);
    size_t n = 0;
    if (!text) return NULL;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80) text[n++] = (char)(0xc0 | c >> 6);
        text[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    return json_stringn(text, n);
}

static json_t *hex(tn_req *r, tn_str s)
{
    char *text = tn_req_alloc(r, 2 * s.n + 1);
    if (!text) return NULL;
    for (size_t i = 0; i < s.n; i++) {
        text[2 * i] = "0123456789abcdef"[(unsigned char)s.p[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[s.p[i] & 15];
    }
    return json_stringn(text, 2 * s.n);
}

static int inspect(tn_req *r)
{
    json_t *headers = json_array();
    tn_str name, value;
    for (size_t i = 0; tn_req_header_at(r, i, &name, &value); i++)
        json_array_append_new(headers, json_pack("[o, o]", latin1(r, name), latin1(r, value)));
    return tn_write_json(r, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "method", latin1(r, tn_req_method(r)), "uri",
                                      latin1(r, tn_req_uri(r)), "path", latin1(r, tn_req_path(r)), "query",
                                      latin1(r, tn_req_query(r)), "version", latin1(r, tn_req_version(r)), "host",
                                      latin1(r, tn_req_host(r)), "headers", headers, "body", hex(r, tn_req_body(r))));
}

static int cookies(tn_req *r)
{
    json_t *all = json_object();
    tn_str name, value;
    for (size_t i = 0; tn_req_cookie_at(r, i, &name, &value); i++) json_object_set_new(all, name.p, latin1(r, value));
    return tn_write_json(r, all);
}

static int chunks(tn_req *r)
{
    static const char *const pieces[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++) {
        TN_TRY(tn_write(r, pieces[i]));
        TN_TRY(tn_flush(r));
    }
    return 0;
}

static int big(tn_req *r)
{
    enum { PIECE = 65536 };
    uint64_t n;
    TN_TRY(tn_arg_u64(r, "n", &n));
    char *xs = tn_req_alloc(r, PIECE);
    if (!xs) return TN_ENOMEM;
    memset(xs, 'x', PIECE);
    TN_TRY(tn_set_content_length(r, n));
    for (; n > PIECE; n -= PIECE) {
        TN_TRY(tn_write(r, tn_str_of(xs, PIECE)));
        TN_TRY(tn_flush(r));
    }
    return tn_write(r, tn_str_of(xs, n));
}

static int nocontent(tn_req *r)
{
    return tn_set_status(r, 204, NULL);
}

static int boom(tn_req *r)
{
    (void)r;
    return TN_EINVAL;
}

static int redirect(tn_req *r)
{
    return tn_redirect(r, "/", false);
}

static int slow(tn_req *r)
{
    TN_TRY(tn_sleep(0.05));
    return tn_write(r, "slow");
}

static const tn_handler Root = {.get = hello, .post = echo};
static const tn_handler Chunks = {.get = chunks}, Big = {.get = big}, NoContent = {.get = nocontent}, Boom = {.get = boom};
static const tn_handler Redirect = {.get = redirect}, Slow = {.get = slow}, Cookies = {.get = cookies};

static const tn_route routes[] = {
    {.path = "/", .handler = &Root},
    {.path = "/echo", .function = echo},
    {.path = "/inspect", .function = inspect},
    {.path = "/cookies", .handler = &Cookies},
    {.path = "/chunks", .handler = &Chunks},
    {.path = "/big", .handler = &Big},
    {.path = "/nocontent", .handler = &NoContent},
    {.path = "/boom", .handler = &Boom},
    {.path = "/redirect", .handler = &Redirect},
    {.path = "/slow", .handler = &Slow},
    {0},
};

int main(int argc, char **argv)
{
    return tn_serve(tn_app_new(routes), .port = 8888, .argc = argc, .argv = argv);
}
