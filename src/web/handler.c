/*
 * The life of a request: one table of steps and one function that walks it.
 *
 * Called from below as the delegate of the connection (headers, chunk, complete, peer_closed, aborted), and by the invoker when a
 * function that waited has come to an end. A step ends well, fails, or is pending; at the last one the exchange is let go, and with
 * it the request: nothing may touch it after walk() has returned.
 */
#include "base/alloc.h"
#include "req.h"

static int call_prepare(void *r)
{
    return ((tn_req *)r)->slots->prepare(r);
}

static int call_data_received(void *arg)
{
    tn_req *r = arg;
    return r->slots->data_received(r, r->piece);
}

/* The function for a method, or NULL. HEAD is answered by `get`, whose body is left out below us: RFC 9110, 9.3.2. */
static tn_method *verb_of(const tn_req *r)
{
    const tn_handler *slots = r->slots;
    tn_method *fn = NULL;
    switch (r->x->head.method_id) {
    case TN__GET: fn = slots->get; break;
    case TN__HEAD: fn = slots->head ? slots->head : slots->get; break;
    case TN__POST: fn = slots->post; break;
    case TN__PUT: fn = slots->put; break;
    case TN__PATCH: fn = slots->patch; break;
    case TN__DELETE: fn = slots->del; break;
    case TN__OPTIONS: fn = slots->options; break;
    case TN__METHOD_OTHER: break;
    }
    return fn ? fn : slots->any;
}

static int call_verb(void *r)
{
    return verb_of(r)(r);
}

int tn__req_call(tn_req *r, int (*fn)(void *r))
{
    const tn__invoker *invoker = r->app->invoker;
    int result = invoker ? invoker->call(r, fn) : fn(r);
    r->waiting = invoker && result == TN__PENDING && r->running;
    return r->waiting || result < 0 ? result : TN_OK;
}

/* 405 names what would have been answered: RFC 9110, 15.5.6. */
static int raise_405(tn_req *r)
{
    const tn_handler *slots = r->slots;
    const struct {
        bool has;
        const char *name;
    } all[] = {
        {slots->get, "GET"},         {slots->head || slots->get, "HEAD"},
        {slots->post, "POST"},       {slots->put, "PUT"},
        {slots->patch, "PATCH"},     {slots->del, "DELETE"},
        {slots->options, "OPTIONS"},
    };
    tn_str list = TN_S("");
    for (size_t i = 0; i < sizeof all / sizeof *all && list.p; i++) {
        if (!all[i].has) continue;
        list = tn__arena_printf(tn__req_arena(r), TN_FMT "%s%s", TN_ARG(list), list.n ? ", " : "", all[i].name);
    }
    if (!list.p) return TN_ENOMEM;
    int e = tn_raise(r, 405, NULL);
    r->allow = list;
    return e;
}

/* OPTIONS * asks about the server, not about any handler: RFC 9110, 9.3.7. */
static int answer_server_options(tn_req *r)
{
    TN_TRY(tn_set_status(r, 204, NULL));
    TN_TRY(tn_set_header(r, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    return tn_finish(r);
}

static int create(tn_req *r)
{
    const tn_handler *slots = r->slots;
    TN_TRY(tn__respond_reset(r));
    if (r->server_options) return answer_server_options(r);
    if (r->unrouted) return tn_raise(r, 404, NULL);
    if (r->bad_path) return tn_raise(r, 400, "invalid UTF-8 in path");
    if (r->x->head.method_id == TN__METHOD_OTHER && !slots->any) return raise_405(r);
    if (slots->size) {
        r->self = tn__arena_zalloc(tn__req_arena(r), slots->size);
        if (!r->self) return TN_ENOMEM;
    }
    return slots->initialize ? slots->initialize(r) : TN_OK;
}

static int prepare(tn_req *r)
{
    return r->slots->prepare ? tn__req_call(r, call_prepare) : TN_OK;
}

/* A streamed body goes to data_received before the method's function is called; any other is there already. */
static int body(tn_req *r)
{
    tn__exchange *x = r->x;
    if (x->body_read) return TN_OK;
    if (!r->in_headers) tn__http1_go_on(x); /* which may lead all the way to the end: nothing of `r` is looked at below */
    return TN__PENDING;
}

static int verb(tn_req *r)
{
    return verb_of(r) ? tn__req_call(r, call_verb) : raise_405(r);
}

static int finish(tn_req *r)
{
    return r->finished ? TN_OK : tn_finish(r);
}

static const struct step {
    const char *name;
    int (*run)(tn_req *r);
} steps[] = {
    [TN__STEP_CREATE] = {"create", create}, [TN__STEP_PREPARE] = {"prepare", prepare}, [TN__STEP_BODY] = {"body", body},
    [TN__STEP_VERB] = {"verb", verb},       [TN__STEP_FINISH] = {"finish", finish},
};

/* The last step: the request is logged, the handler told, the exchange let go. */
static void end(tn_req *r)
{
    tn__exchange *x = r->x;
    if (x->head_sent) {
        if (r->slots->log_request)
            r->slots->log_request(r);
        else
            tn__log_request(r);
    }
    if (r->slots->on_finish && r->step_begun) r->slots->on_finish(r);
    if (r->json) json_decref(r->json);
    tn__http1_done(x);
}

/* Walk on from where the request stands; `result` is what the latest step has come to. */
static void walk(tn_req *r, int result)
{
    while (result != TN__PENDING) {
        if (result == TN_EFINISH && !r->aborted) {
            result = TN_OK;
            r->step = TN__STEP_FINISH;
        } else if (result < 0 && !r->aborted) {
            r->step = TN__STEP_FINISH;
            result = tn__fail(r, result);
            continue;
        }
        if (r->aborted)
            r->step = TN__STEP_END;
        else if (r->finished && r->step < TN__STEP_FINISH)
            r->step = TN__STEP_FINISH;
        if (r->step == TN__STEP_END) {
            end(r);
            return;
        }
        r->step_begun = true;
        result = steps[r->step++].run(r);
    }
}

void tn__req_resume(tn_req *r, int result)
{
    r->waiting = false;
    bool in_body = r->step == TN__STEP_VERB && !r->x->body_read && !r->failing;
    if (in_body && result >= 0 && !r->aborted && !r->finished)
        tn__http1_go_on(r->x);
    else
        walk(r, result == TN__PENDING ? TN_OK : result);
}

/* The path arguments: groups of the pattern, decoded, so that a handler gets text. */
static int take_groups(tn_req *r, const tn__groups *groups)
{
    if (groups->n == 0) return TN_OK;
    r->path_args = tn__arena_alloc(tn__req_arena(r), groups->n * sizeof *r->path_args);
    if (!r->path_args) return TN_ENOMEM;
    r->path_args_n = groups->n;
    for (uint32_t i = 0; i < groups->n; i++) {
        r->path_args[i] = (tn_str){0};
        if (!groups->at[i].p) continue;
        tn_str decoded = tn__url_unescape(tn__req_arena(r), groups->at[i], false);
        if (decoded.p) decoded = tn__arena_copy(tn__req_arena(r), decoded.p, decoded.n); /* with its NUL */
        if (!decoded.p) return TN_ENOMEM;
        if (!tn__utf8_valid(decoded)) r->bad_path = true;
        r->path_args[i] = decoded;
    }
    return TN_OK;
}

static int route(tn_req *r)
{
    static const tn_handler no_slots = {0};
    const tn__request_head *head = &r->x->head;
    tn__groups groups;
    tn_str path = tn__exchange_slice(r->x, head->path);
    tn_str host = r->app->by_host ? tn_req_host_name(r) : (tn_str){0};
    r->slots = &no_slots;
    if (r->app->by_host && host.n == 0) return TN_ENOMEM; /* no host is empty: rather than answer for another one */
    r->rule = tn__app_route(r->app, host, path, &groups);
    r->server_options = !r->rule && head->method_id == TN__OPTIONS && tn_str_eq(path, TN_S("*"));
    r->unrouted = !r->rule && !r->app->not_found;
    r->slots = r->rule ? &r->rule->cls->slots : r->app->not_found ? &r->app->not_found->slots : &no_slots;
    return take_groups(r, &groups);
}

/* The head is complete: make the request, find its handler. A handler that streams begins its work here. */
static int on_headers(void *app, tn__exchange *x)
{
    tn_req *r = tn__arena_zalloc(&x->arena, sizeof *r);
    if (!r) return TN_ENOMEM;
    x->user = r;
    r->x = x;
    r->app = app;
    r->arrived_ns = tn__loop_now(tn__req_loop(r));
    r->started_ns = tn__log_clock(r);
    TN_TRY(route(r));
    if (!r->slots->data_received) return TN_OK;

    tn__http1 *c = x->conn;
    x->streaming = true;
    r->in_headers = true;
    walk(r, TN_OK);
    if (c->exchange != x) return TN_OK; /* answered, and gone */
    r->in_headers = false;
    return r->waiting ? TN__PENDING : TN_OK;
}

static int on_chunk(void *app, tn__exchange *x, tn_str piece)
{
    (void)app;
    tn_req *r = x->user;
    if (r->finished || r->failing || r->aborted) return TN_OK;
    r->piece = piece;
    int result = tn__req_call(r, call_data_received);
    if (result == TN__PENDING) return TN__PENDING;
    if (result >= 0 && !r->finished) return TN_OK;
    tn__http1 *c = x->conn;
    walk(r, result);
    return c->exchange == x && r->waiting ? TN__PENDING : TN_OK; /* what reports the error may take its time */
}

static void on_complete(void *app, tn__exchange *x)
{
    (void)app;
    walk(x->user, TN_OK);
}

/* Once, though a peer that was seen leaving may also leave a body unfinished. */
static void tell_handler_closed(tn_req *r)
{
    if (r->told_closed || !r->step_begun) return;
    r->told_closed = true;
    if (r->slots->on_connection_close) r->slots->on_connection_close(r);
}

static void on_peer_closed(void *app, tn__exchange *x)
{
    (void)app;
    tn_req *r = x->user;
    tell_handler_closed(r);
    if (r->slots->cancel_on_close && r->waiting) r->app->invoker->cancel(r);
}

static void on_aborted(void *app, tn__exchange *x)
{
    (void)app;
    tn_req *r = x->user;
    if (!r) {
        tn__http1_done(x);
        return;
    }
    r->aborted = true;
    tell_handler_closed(r);
    if (r->waiting)
        r->app->invoker->cancel(r);
    else
        walk(r, TN_OK);
}

const tn__http_delegate tn__web_delegate = {
    .headers = on_headers,
    .chunk = on_chunk,
    .complete = on_complete,
    .peer_closed = on_peer_closed,
    .aborted = on_aborted,
};
