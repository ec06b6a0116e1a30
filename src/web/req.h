/*
 * A request in the hands of an application: which handler, how far it has come, and the response so far. Lives in the arena of its
 * exchange and goes with it.
 */
#ifndef TN_WEB_REQ_H
#define TN_WEB_REQ_H

#include "app.h"
#include "http/http1.h"
#include "http/url.h"

/* The steps of a request, in order. handler.c has the table and the one function that walks it. */
typedef enum tn__step {
    TN__STEP_CREATE,
    TN__STEP_PREPARE,
    TN__STEP_BODY,
    TN__STEP_VERB,
    TN__STEP_FINISH,
    TN__STEP_END,
} tn__step;

typedef struct tn__argument {
    tn_str name, value; /* decoded */
    size_t place;       /* of a cookie, among the others */
} tn__argument;

struct tn_req {
    tn__exchange *x;
    tn_app *app;
    const tn_handler *slots; /* of the class; all empty when no route matched */
    const tn__rule *rule;    /* NULL: no route matched */
    void *self;
    void *running; /* the invoker's: what runs for this request while it waits */
    tn_str *path_args;
    uint32_t path_args_n;

    uint8_t step;        /* tn__step: the next one */
    bool step_begun;     /* the handler has been called, or would have been */
    bool waiting;        /* a function of the handler waits */
    bool in_headers;     /* inside the delegate's `headers` */
    bool finished;       /* tn_finish was called */
    bool aborted;        /* nothing can be answered any more */
    bool told_closed;    /* the handler knows that the peer has left */
    uint8_t failing;     /* an error response is being made: 1 by the handler, 2 by ourselves */
    bool unrouted;       /* nothing answers this path */
    bool server_options; /* OPTIONS * */
    bool bad_path;       /* a path argument that is not UTF-8 */
    bool args_parsed;

    /* The response. */
    int status;
    tn_str reason;       /* empty: the usual one */
    tn_str content_type; /* empty: none */
    tn_str etag;         /* empty: none yet */
    bool common;         /* our Server and Date */
    tn__headers headers;
    int64_t content_length; /* as told by tn_set_content_length; -1 not told */

    /* What tn_raise said. */
    int raised_status;
    tn_str raised_text;
    tn_str allow;     /* for a 405 */
    int error_status; /* what write_error is to render */

    tn_str piece; /* of a streamed body */
    tn_str path;  /* with its NUL, once somebody has asked */
    tn_str host, host_name;
    int64_t arrived_ns; /* of the loop's clock */
    int64_t started_ns; /* of the system's, for the access log; 0: not taken */

    tn__argument *args;
    size_t args_n;
    tn__argument *cookies;
    size_t cookies_n;
    bool cookies_parsed;
    json_t *json; /* of the body */
};

static inline tn_loop *tn__req_loop(const tn_req *r)
{
    return r->x->conn->stream.loop;
}

static inline tn__arena *tn__req_arena(const tn_req *r)
{
    return &r->x->arena;
}

/* handler.c: a function of the handler that waited has come to an end. */
void tn__req_resume(tn_req *r, int result);

/* respond.c: the default status, headers and an empty body. */
int tn__respond_reset(tn_req *r);

/* respond.c: hand the finished response over. TN_OK, or an error when it could not be. */
int tn__respond_finish(tn_req *r);

/* respond.c: fix status and fields, if they are not, and hand over what was written. */
int tn__respond_flush(tn_req *r);

/* fail.c: turn a handler's error into a response. TN_OK, TN__PENDING, or an error: then nothing can be said any more. */
int tn__fail(tn_req *r, int error);

/* access.c: the line of the access log; and the time of the clock, when such a line is wanted. */
void tn__log_request(tn_req *r);
int64_t tn__log_clock(const tn_req *r);

/* handler.c: run a function of the handler where it may wait. */
int tn__req_call(tn_req *r, int (*fn)(void *r));

#endif
