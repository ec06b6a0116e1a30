/*
 * The web framework: handlers, requests, responses, applications.
 *
 *     #include <tornado/web.h>
 *
 *     static int hello(tn_req *r)
 *     {
 *         return tn_write(r, "Hello, world\n");
 *     }
 *
 * A handler is a table of functions, one for each method it answers; a function runs on a coroutine, so whatever waits is an
 * ordinary call that waits. What belongs to a request lives as long as the request: handlers free nothing.
 *
 * Calls that take text accept a tn_str, a `char *` or a `const char *`, and copy it. A handler's function returns 0, or passes on
 * the negative error of a call it made (TN_TRY): an error that nobody has turned into a response (tn_raise) becomes a logged 500.
 * All calls belong to the thread of the request's loop and exist since 0.1.
 */
#ifndef TORNADO_WEB_H
#define TORNADO_WEB_H

#include <jansson.h>

#include "error.h"
#include "httpserver.h"
#include "ioloop.h"
#include "log.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_req tn_req;
typedef struct tn_app tn_app;
typedef struct tn_future tn_future;

typedef int tn_method(tn_req *r);

/*
 * A handler "class": Tornado's RequestHandler as a table. A slot that is NULL is inherited from `super`, and where nobody fills it
 * the library's own default applies.
 *
 * Order of calls: set_default_headers, initialize, prepare, the method's function, on_finish. Those marked "may wait" run on a
 * coroutine.
 */
typedef struct tn_handler tn_handler;
struct tn_handler {
    const tn_handler *super; /* inherit empty slots from here */
    size_t size;             /* bytes of zeroed state for each request: tn_self(r) */

    tn_method *set_default_headers;
    tn_method *initialize;
    tn_method *prepare; /* may wait */

    tn_method *get;  /* these may wait; what is missing is answered 405 with an Allow field */
    tn_method *head; /* missing: get answers, and its body is left out (RFC 9110, 9.3.2) */
    tn_method *post;
    tn_method *put;
    tn_method *patch;
    tn_method *del;
    tn_method *options;
    tn_method *any; /* every method, extension methods too, that has no slot filled */

    /*
     * Present: the body is not collected but handed over piece by piece before the method's function is called; each piece is valid
     * until this returns. May wait, and then no more is read.
     */
    int (*data_received)(tn_req *r, tn_str piece);

    void (*on_finish)(tn_req *r);              /* after the response was handed over; the request is still readable */
    void (*on_connection_close)(tn_req *r);    /* the peer left before that */
    int (*write_error)(tn_req *r, int status); /* render an error page: status and headers are reset. May wait */
    void (*log_request)(tn_req *r);            /* instead of the access log's line */

    bool cancel_on_close; /* waiting calls return TN_ECANCELED once the peer has left; otherwise the handler goes on */
    size_t stack_size;    /* of the coroutine; 0 is the default, 256 KiB */

    void *reserved_[16]; /* NULL: room for later slots */
};

/*
 * A route: what answers which paths. A path without regular-expression characters is literal; any other is a pattern of the whole
 * path, whose groups are the path arguments. The first route that matches wins. A table of routes ends with a zeroed one.
 */
typedef struct tn_route {
    const char *path;
    const tn_handler *handler;
    const char *name;         /* for tn_url_for; may be NULL */
    const void *arg;          /* for the handler: tn_route_arg(r) */
    const char *host;         /* pattern of the host name; NULL is any */
    tn_method *function;      /* instead of `handler`: a plain function that answers every method. May wait */
    const void *reserved_[4]; /* NULL: room for later members */
} tn_route;

typedef struct tn_app_opts {
    const tn_route *routes;            /* positional; not copied: the table, handlers and texts must outlive the application */
    const tn_handler *default_handler; /* when no route matches, instead of the 404 page */
    bool debug;                        /* error pages show the error */
    void *data;                        /* yours: tn_app_data(app) */
    char end_;
} tn_app_opts;

/*
 * Make an application of a table of routes (which may be NULL) and options.
 *
 *     tn_app *app = tn_app_new(routes, .debug = true);
 *
 * Returns NULL for lack of memory, and otherwise always an application: a bad pattern or a bad route is remembered, and reported by
 * tn_app_error and when the application is started. Free it with tn_app_free unless tn_serve has taken it.
 */
#ifndef __cplusplus
#define tn_app_new(...) tn_app_new_(&(tn_app_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_app_opts, end_))
#endif
TN_API tn_app *tn_app_new_(const tn_app_opts *opts, size_t opts_size);

/* Free an application that no server uses any more. NULL is fine. */
TN_API void tn_app_free(tn_app *app);

/* More routes, behind the present ones. NULL for `app` does nothing; returns `app`. Errors are remembered. */
TN_API tn_app *tn_app_add_routes(tn_app *app, const tn_route *routes);

/* What went wrong while building: 0, or the code, with the reason in `err` (may be NULL). TN_ENOMEM for a NULL `app`. */
TN_API int tn_app_error(const tn_app *app, tn_error *err);

/* The `data` given when the application was made. */
TN_API void *tn_app_data(const tn_app *app);

typedef struct tn_serve_opts {
    tn_app *app;         /* positional; taken over */
    int port;            /* to listen on; 0 lets the system choose one */
    const char *address; /* NULL or "": every address of the machine, IPv4 and IPv6 */
    int argc;            /* with argv: the options of the command line (--help lists them) override what stands here */
    char **argv;
    const char *logging;     /* least level logged: "debug", "info" (default), "warning", "error", "none" */
    const char *unix_socket; /* listen on this path instead; "@name" lies in Linux's abstract namespace */
    bool reuse_port;         /* SO_REUSEPORT: several processes on one port */
    int backlog;             /* of the listening socket; default 4,096, as far as the system allows */
    int workers;             /* so many processes under a supervising parent (process.h); 0: this one alone, -1: one for each CPU */
    int inherited_fd;        /* adopt this listening descriptor instead (0: none) */
    const char *tls_cert; /* serve HTTPS: a PEM file with the certificate and those that vouch for it. SIGHUP makes it read again */
    const char *tls_key;  /* its key; NULL: in the same file. For other options: tls.h, and `tls` in `http` */
    double grace;         /* seconds that requests in flight get after SIGTERM or SIGINT; default 30, negative: none */
    tn_http_opts http;    /* limits and timeouts */
    void (*on_start)(tn_loop *loop, int port, void *arg); /* listening: the port that was chosen */
    void *on_start_arg;
    char end_;
} tn_serve_opts;

/*
 * Serve an application until SIGTERM or SIGINT, then stop accepting, finish what is in flight within `grace`, and return. A second
 * signal ends the process at once with status 1. Takes `app` over: it is freed, also on failure; NULL is an error like any other.
 *
 *     int main(int argc, char **argv)
 *     {
 *         return tn_serve(tn_app_new(routes), .port = 8888, .argc = argc, .argv = argv);
 *     }
 *
 * Returns what main should: 0, or 1 after one line on standard error that says what went wrong. The only call of the library that
 * changes the disposition of signals.
 */
#ifndef __cplusplus
#define tn_serve(...) tn_serve_(&(tn_serve_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_serve_opts, end_))
#endif
TN_API int tn_serve_(const tn_serve_opts *opts, size_t opts_size);

/* The request. What these give is valid as long as the request, and followed by a NUL. */

TN_API tn_str tn_req_method(const tn_req *r);   /* "GET" */
TN_API tn_str tn_req_uri(const tn_req *r);      /* the request-target as it came: "/a%20b?c=d" */
TN_API tn_str tn_req_path(tn_req *r);           /* its path, not decoded: "/a%20b" */
TN_API tn_str tn_req_query(const tn_req *r);    /* what follows the '?': "c=d" */
TN_API tn_str tn_req_version(const tn_req *r);  /* "HTTP/1.1" or "HTTP/1.0" */
TN_API tn_str tn_req_host(tn_req *r);           /* host and port as the client named them; "127.0.0.1" when HTTP/1.0 named none */
TN_API tn_str tn_req_host_name(tn_req *r);      /* the host in lower case, without the port */
TN_API tn_str tn_req_protocol(const tn_req *r); /* "http" or "https" */
TN_API tn_str tn_req_remote_ip(tn_req *r);      /* the peer's address; "0.0.0.0" for a Unix socket */
TN_API tn_str tn_req_body(const tn_req *r);     /* the whole body; empty when it is streamed */
TN_API double tn_req_time(const tn_req *r);     /* seconds since it arrived */

/* The first header field of that name, in any case; `p` is NULL when there is none. */
#define tn_req_header(r, name) tn_req_header_s((r), TN_STR(name))
TN_API tn_str tn_req_header_s(const tn_req *r, tn_str name);

/* Number of header fields, and the i-th of them as they came; false beyond the last. */
TN_API size_t tn_req_header_count(const tn_req *r);
TN_API bool tn_req_header_at(const tn_req *r, size_t i, tn_str *name, tn_str *value);

/* A cookie's value; `p` is NULL when the browser sent none of that name. The last one wins when it sent several. */
#define tn_req_cookie(r, name) tn_req_cookie_s((r), TN_STR(name))
TN_API tn_str tn_req_cookie_s(tn_req *r, tn_str name);

/* Number of cookies, and the i-th of them; false beyond the last. Each name appears once. */
TN_API size_t tn_req_cookie_count(tn_req *r);
TN_API bool tn_req_cookie_at(tn_req *r, size_t i, tn_str *name, tn_str *value);

/*
 * The i-th group of the route's pattern, percent-decoded; empty with `p` NULL when it did not take part or does not exist. A named
 * group by its name.
 */
TN_API tn_str tn_path_arg(const tn_req *r, size_t i);
#define tn_path_arg_named(r, name) tn_path_arg_named_s((r), TN_STR(name))
TN_API tn_str tn_path_arg_named_s(const tn_req *r, tn_str name);

/*
 * Arguments of the query and of a form in the body (application/x-www-form-urlencoded), validated where they are read. Each call
 * gives the last argument of that name, decoded and with blanks trimmed. One that is absent, is not valid UTF-8, or is no such value
 * raises 400 with its name, and the call returns TN_ERAISED for TN_TRY to pass on. The `_or` twins give a standard value for an
 * absent one.
 */
#define tn_arg_str(r, name, out) tn_arg_str_s((r), TN_STR(name), (out))
#define tn_arg_i64(r, name, out) tn_arg_i64_s((r), TN_STR(name), (out))
#define tn_arg_u64(r, name, out) tn_arg_u64_s((r), TN_STR(name), (out))
#define tn_arg_f64(r, name, out) tn_arg_f64_s((r), TN_STR(name), (out))
#define tn_arg_bool(r, name, out) tn_arg_bool_s((r), TN_STR(name), (out))
#define tn_arg_str_or(r, name, out, standard) tn_arg_str_or_s((r), TN_STR(name), (out), TN_STR(standard))
#define tn_arg_i64_or(r, name, out, standard) tn_arg_i64_or_s((r), TN_STR(name), (out), (standard))
#define tn_arg_u64_or(r, name, out, standard) tn_arg_u64_or_s((r), TN_STR(name), (out), (standard))
#define tn_arg_f64_or(r, name, out, standard) tn_arg_f64_or_s((r), TN_STR(name), (out), (standard))
#define tn_arg_bool_or(r, name, out, standard) tn_arg_bool_or_s((r), TN_STR(name), (out), (standard))
TN_API int tn_arg_str_s(tn_req *r, tn_str name, tn_str *out);
TN_API int tn_arg_i64_s(tn_req *r, tn_str name, int64_t *out);
TN_API int tn_arg_u64_s(tn_req *r, tn_str name, uint64_t *out);
TN_API int tn_arg_f64_s(tn_req *r, tn_str name, double *out);
TN_API int tn_arg_bool_s(tn_req *r, tn_str name, bool *out); /* false: "false", "f", "0", "off", "no"; true: their opposites, "" */
TN_API int tn_arg_str_or_s(tn_req *r, tn_str name, tn_str *out, tn_str standard);
TN_API int tn_arg_i64_or_s(tn_req *r, tn_str name, int64_t *out, int64_t standard);
TN_API int tn_arg_u64_or_s(tn_req *r, tn_str name, uint64_t *out, uint64_t standard);
TN_API int tn_arg_f64_or_s(tn_req *r, tn_str name, double *out, double standard);
TN_API int tn_arg_bool_or_s(tn_req *r, tn_str name, bool *out, bool standard);

/* Every argument of that name, in order: the array and its length. TN_ERAISED as above; none is not an error. */
#define tn_arg_list(r, name, out, n) tn_arg_list_s((r), TN_STR(name), (out), (n))
TN_API int tn_arg_list_s(tn_req *r, tn_str name, const tn_str **out, size_t *n);

/* The body as JSON; borrowed. What is no JSON, or is nested more than 256 levels deep, raises 400. */
TN_API int tn_body_json(tn_req *r, json_t **out);

/* The application that the request came to, and the loop that serves it. */
TN_API tn_app *tn_req_app(const tn_req *r);
TN_API tn_loop *tn_req_loop(const tn_req *r);
TN_API const void *tn_route_arg(const tn_req *r); /* the route's `arg` */

/* The handler's state for this request: `size` zeroed bytes; NULL when its size is 0. */
TN_API void *tn_self(const tn_req *r);

/* Memory of the request, aligned for anything, given back with it. NULL when there is none left or the request's quota is used up. */
TN_API void *tn_req_alloc(tn_req *r, size_t n);

/* Text made in the memory of the request, followed by a NUL; `p` is NULL for lack of memory. */
TN_API tn_str tn_sprintf(tn_req *r, const char *format, ...) TN_PRINTF(2, 3);
#define tn_esc(r, text) tn_esc_s((r), TN_STR(text))         /* for HTML: & < > " ' */
#define tn_urlenc(r, text) tn_urlenc_s((r), TN_STR(text))   /* for a query: percent-encoded, a blank as '+' */
#define tn_jsonesc(r, text) tn_jsonesc_s((r), TN_STR(text)) /* for JSON: a quoted string, with "</" written as "<\/" */
TN_API tn_str tn_esc_s(tn_req *r, tn_str text);
TN_API tn_str tn_urlenc_s(tn_req *r, tn_str text);
TN_API tn_str tn_jsonesc_s(tn_req *r, tn_str text);

/* The response. Status and headers are fixed at the first tn_flush, or when the handler has finished; TN_EHEADERS afterwards. */

/* 200 to 599 (TN_EINVAL otherwise); `reason` may be NULL for the usual one. A reason that HTTP does not allow becomes "Unknown". */
TN_API int tn_set_status(tn_req *r, int status, const char *reason);
TN_API int tn_get_status(const tn_req *r);

/*
 * Set (replacing), add, remove a header field. TN_EINVAL for a name or value that HTTP does not allow, so that nothing can split a
 * response. Content-Length, Transfer-Encoding and Connection are the library's own: TN_EMISUSE. The default fields are Server,
 * Content-Type (text/html; charset=UTF-8) and Date.
 */
#define tn_set_header(r, name, value) tn_set_header_s((r), TN_STR(name), TN_STR(value))
#define tn_add_header(r, name, value) tn_add_header_s((r), TN_STR(name), TN_STR(value))
#define tn_clear_header(r, name) tn_clear_header_s((r), TN_STR(name))
TN_API int tn_set_header_s(tn_req *r, tn_str name, tn_str value);
TN_API int tn_add_header_s(tn_req *r, tn_str name, tn_str value);
TN_API int tn_clear_header_s(tn_req *r, tn_str name);

/* Back to an empty body, status 200 and the default headers. */
TN_API int tn_clear(tn_req *r);

/*
 * Append to the body. Nothing is sent before tn_flush or the end. TN_ETOOBIG beyond write_bytes_max, TN_EMISUSE after the response
 * is finished, TN_ENOMEM.
 */
#define tn_write(r, data) tn_write_s((r), TN_STR(data))
TN_API int tn_write_s(tn_req *r, tn_str data);
TN_API int tn_printf(tn_req *r, const char *format, ...) TN_PRINTF(2, 3);

/* Append a JSON value as application/json, with "</" written as "<\/". Takes the reference; NULL is TN_EJSON. */
TN_API int tn_write_json(tn_req *r, json_t *value);

/*
 * Send what was written so far, the status and headers first, and wait until the system has taken it: this is the flow control of
 * long responses. Without a Content-Length the body is chunked. TN_ECLOSED when the peer is gone. May be called from a handler's
 * function only; the twin gives a future and may be called anywhere.
 */
TN_API int tn_flush(tn_req *r);
TN_API tn_future *tn_flush_start(tn_req *r);

/* The body will have this many bytes: for tn_flush, instead of chunks. */
TN_API int tn_set_content_length(tn_req *r, uint64_t bytes);

/* Finish the response now; returning from the handler does it as well. TN_EMISUSE when it is finished already. */
TN_API int tn_finish(tn_req *r);

/* Finish, and leave the handler: return tn_finish_now(r). Tornado's `raise Finish`. */
TN_API int tn_finish_now(tn_req *r);

/* Redirect: 302, or 301 when permanent. Finishes the response. TN_EINVAL for a URL that no header can hold. */
#define tn_redirect(r, url, permanent) tn_redirect_s((r), TN_STR(url), (permanent))
TN_API int tn_redirect_s(tn_req *r, tn_str url, bool permanent);

/* Leave with an error response: return tn_raise(r, 404, "no item %d", id). The text (may be NULL) is for the log only. */
TN_API int tn_raise(tn_req *r, int status, const char *format, ...) TN_PRINTF(3, 4);

/* The path of the route of that name, its groups filled in with `n` arguments, escaped; `p` is NULL when that cannot be done. */
TN_API tn_str tn_url_for(tn_req *r, const char *name, const tn_str *args, size_t n);

/*
 * Call the function that a slot would have inherited, from the function that overrides it: return tn_super(r, &Item, prepare).
 *
 * handler: the one whose table holds the calling function. slot: one that is a tn_method. Does nothing and returns 0 when no ancestor
 * fills the slot.
 */
#define tn_super(r, handler, slot)                                                                                                 \
    tn_super_((r), (handler), offsetof(tn_handler, slot) + 0 * sizeof((handler)->slot == (tn_method *)NULL))
TN_API int tn_super_(tn_req *r, const tn_handler *handler, size_t slot_offset);

#ifdef __cplusplus
} /* extern "C" */

/* C++: tn_app_new(routes), or with options: tn_app_opts o{}; o.debug = true; tn_app_new(routes, o). */
static inline tn_app *tn_app_new(const tn_route *routes, tn_app_opts opts = tn_app_opts())
{
    opts.routes = routes;
    return tn_app_new_(&opts, offsetof(tn_app_opts, end_));
}
static inline int tn_serve(tn_app *app, tn_serve_opts opts = tn_serve_opts())
{
    opts.app = app;
    return tn_serve_(&opts, offsetof(tn_serve_opts, end_));
}
#endif

#endif
