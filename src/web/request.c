/* What a handler may ask about its request. Slices point into the arena; what needs work is made when first asked for. */
#include <ctype.h>
#include <stdlib.h>

#include "http/cookie.h"
#include "req.h"

/* A copy with a NUL for a slice that has none behind it; empty for lack of memory. */
static tn_str terminated(const tn_req *r, tn_str s)
{
    tn_str copy = tn__arena_copy(tn__req_arena(r), s.p, s.n);
    return copy.p ? copy : TN_S("");
}

tn_str tn_req_method(const tn_req *r)
{
    return tn__exchange_slice(r->x, r->x->head.method);
}

tn_str tn_req_uri(const tn_req *r)
{
    return tn__exchange_slice(r->x, r->x->head.target);
}

tn_str tn_req_path(tn_req *r)
{
    if (!r->path.p) {
        tn_str path = tn__exchange_slice(r->x, r->x->head.path);
        r->path = path.n && path.p[path.n] == 0 ? path : terminated(r, path);
    }
    return r->path;
}

tn_str tn_req_query(const tn_req *r)
{
    return r->x->head.query.at ? tn__exchange_slice(r->x, r->x->head.query) : TN_S("");
}

tn_str tn_req_version(const tn_req *r)
{
    return r->x->head.minor == 0 ? TN_S("HTTP/1.0") : TN_S("HTTP/1.1");
}

tn_str tn_req_host(tn_req *r)
{
    if (!r->host.p) {
        tn_str host = tn__exchange_slice(r->x, r->x->head.host);
        r->host = host.n ? terminated(r, host) : TN_S("127.0.0.1");
    }
    return r->host;
}

tn_str tn_req_host_name(tn_req *r)
{
    if (!r->host_name.p) {
        tn_str text = tn_req_host(r), host;
        int port;
        if (text.n && text.p[text.n - 1] == ':') text.n--; /* RFC 3986, 3.2.3: a port may be empty */
        if (tn__split_host_and_port(text, &host, &port) < 0) host = text;
        tn_str name = terminated(r, host);
        for (size_t i = 0; i < name.n; i++) ((char *)name.p)[i] = (char)tolower((unsigned char)name.p[i]);
        r->host_name = name;
    }
    return r->host_name;
}

tn_str tn_req_protocol(const tn_req *r)
{
    return r->x->conn->server->opts.tls ? TN_S("https") : TN_S("http");
}

tn_str tn_req_remote_ip(tn_req *r)
{
    char text[TN_ADDR_TEXT_BYTES];
    tn_str ip = tn__http1_remote_ip(r->x->conn, text);
    return terminated(r, ip);
}

tn_str tn_req_body(const tn_req *r)
{
    return r->x->body;
}

double tn_req_time(const tn_req *r)
{
    return (double)(tn__loop_now(tn__req_loop(r)) - r->arrived_ns) / 1e9;
}

tn_str tn_req_header_s(const tn_req *r, tn_str name)
{
    const tn__request_head *head = &r->x->head;
    for (uint32_t i = 0; i < head->n_fields; i++) {
        const tn__field *f = &head->fields[i];
        if (f->name.n == name.n && tn_str_caseeq(tn__exchange_slice(r->x, f->name), name))
            return tn__exchange_slice(r->x, f->value);
    }
    return (tn_str){0};
}

size_t tn_req_header_count(const tn_req *r)
{
    return r->x->head.n_fields;
}

bool tn_req_header_at(const tn_req *r, size_t i, tn_str *name, tn_str *value)
{
    const tn__request_head *head = &r->x->head;
    if (i >= head->n_fields) return false;
    *name = tn__exchange_slice(r->x, head->fields[i].name);
    *value = tn__exchange_slice(r->x, head->fields[i].value);
    return true;
}

/* How many cookies the fields could hold at most: one more than there are semicolons in each. */
static size_t count_cookies(const tn_req *r)
{
    size_t n = 0;
    tn_str name, value;
    for (size_t i = 0; tn_req_header_at(r, i, &name, &value); i++) {
        if (!tn_str_caseeq(name, TN_S("Cookie"))) continue;
        n++;
        for (size_t at = 0; at < value.n; at++) n += value.p[at] == ';';
    }
    return n;
}

/* Every cookie in the order of the fields, duplicates included. */
static void collect_cookies(tn_req *r)
{
    tn_str name, rest;
    for (size_t i = 0; tn_req_header_at(r, i, &name, &rest); i++) {
        tn__cookie cookie;
        if (!tn_str_caseeq(name, TN_S("Cookie"))) continue;
        while (tn__cookie_next(&rest, &cookie)) {
            tn_str value = tn__cookie_unquote(tn__req_arena(r), cookie.value);
            if (!value.p) return;
            r->cookies[r->cookies_n] = (tn__argument){terminated(r, cookie.name), terminated(r, value), r->cookies_n};
            r->cookies_n++;
        }
    }
}

static int by_name(const void *left, const void *right)
{
    const tn__argument *a = left, *b = right;
    size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
    int order = n ? memcmp(a->name.p, b->name.p, n) : 0;
    if (order == 0) order = (a->name.n > b->name.n) - (a->name.n < b->name.n);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static int by_place(const void *left, const void *right)
{
    const tn__argument *a = left, *b = right;
    return (a->place > b->place) - (a->place < b->place);
}

/* The last cookie of a name wins, and stands where the first one stood. Sorting keeps floods of them from costing squares. */
static void drop_repeated(tn_req *r)
{
    size_t kept = 0;
    qsort(r->cookies, r->cookies_n, sizeof *r->cookies, by_name);
    for (size_t i = 0; i < r->cookies_n; i++) {
        tn__argument *last = kept ? &r->cookies[kept - 1] : NULL;
        if (last && tn_str_eq(last->name, r->cookies[i].name))
            last->value = r->cookies[i].value;
        else
            r->cookies[kept++] = r->cookies[i];
    }
    r->cookies_n = kept;
    qsort(r->cookies, r->cookies_n, sizeof *r->cookies, by_place);
}

static void parse_cookies(tn_req *r)
{
    r->cookies_parsed = true;
    size_t max = count_cookies(r);
    if (max == 0) return;
    r->cookies = tn__arena_alloc(tn__req_arena(r), max * sizeof *r->cookies);
    if (!r->cookies) return;
    collect_cookies(r);
    if (r->cookies_n > 1) drop_repeated(r);
}

size_t tn_req_cookie_count(tn_req *r)
{
    if (!r->cookies_parsed) parse_cookies(r);
    return r->cookies_n;
}

bool tn_req_cookie_at(tn_req *r, size_t i, tn_str *name, tn_str *value)
{
    if (i >= tn_req_cookie_count(r)) return false;
    *name = r->cookies[i].name;
    *value = r->cookies[i].value;
    return true;
}

tn_str tn_req_cookie_s(tn_req *r, tn_str name)
{
    size_t n = tn_req_cookie_count(r);
    for (size_t i = 0; i < n; i++)
        if (tn_str_eq(r->cookies[i].name, name)) return r->cookies[i].value;
    return (tn_str){0};
}

tn_str tn_path_arg(const tn_req *r, size_t i)
{
    return i < r->path_args_n ? r->path_args[i] : (tn_str){0};
}

tn_str tn_path_arg_named_s(const tn_req *r, tn_str name)
{
    int i = r->rule ? tn__pattern_group(r->rule->pattern, name) : -1;
    return i < 0 ? (tn_str){0} : tn_path_arg(r, (size_t)i);
}

tn_app *tn_req_app(const tn_req *r)
{
    return r->app;
}

tn_loop *tn_req_loop(const tn_req *r)
{
    return tn__req_loop(r);
}

const void *tn_route_arg(const tn_req *r)
{
    return r->rule ? r->rule->route->arg : NULL;
}

void *tn_self(const tn_req *r)
{
    return r->self;
}

void *tn_req_alloc(tn_req *r, size_t n)
{
    return tn__arena_alloc(tn__req_arena(r), n);
}
