/*
 * Applications: routes to classes, and what all requests of one application share. Built by one thread, used by one loop at a time.
 */
#ifndef TN_WEB_APP_H
#define TN_WEB_APP_H

#include "base/table.h"
#include "http/server.h"
#include "pattern.h"
#include "tornado/web.h"

/* A handler with everything inherited filled in, so that a call is one indirect call. */
typedef struct tn__class {
    struct tn__class *next; /* in the application */
    const tn_handler *source;
    tn_handler slots;
} tn__class;

/* One route. */
typedef struct tn__rule {
    const tn_route *route;
    const tn__class *cls;
    tn__class own;        /* the class of a plain function */
    tn__pattern *pattern; /* NULL: literal */
} tn__rule;

/* Consecutive routes for the same hosts. */
typedef struct tn__rules {
    struct tn__rules *next;
    const char *host_text;
    tn__pattern *host;  /* NULL: any */
    tn__table literals; /* path -> tn__rule; one that an earlier pattern would catch is not in it */
    tn__rule **all;     /* in the order given */
    size_t n, cap;
    size_t patterns; /* how many of them are patterns */
} tn__rules;

/*
 * Who runs the functions of handlers that may wait: coroutines in C, something else in other faces. NULL in an application: they
 * are called as they are, and cannot wait.
 */
typedef struct tn__invoker {
    /* Run fn(r): its result, or TN__PENDING and then tn__req_resume(r, result) once, from the ready list. */
    int (*call)(tn_req *r, int (*fn)(void *r));
    /* What runs for this request shall come to an end: its waits fail from now on. */
    void (*cancel)(tn_req *r);
} tn__invoker;

struct tn_app {
    tn_app_opts opts;
    tn__rules *rules, *rules_last;
    tn__class *classes;
    tn__class *not_found; /* opts.default_handler's, or NULL */
    bool by_host;         /* some route asks for a host */
    const tn__invoker *invoker;
    tn_error error; /* the first */
};

/* What the HTTP floor calls; `app` is a tn_app. */
extern const tn__http_delegate tn__web_delegate;

/*
 * Find the rule for a request. `groups` receives the pattern's groups as slices of `path`. NULL: none matches.
 */
const tn__rule *tn__app_route(const tn_app *app, tn_str host_name, tn_str path, tn__groups *groups);

/* The rule of that name; NULL when there is none. */
const tn__rule *tn__app_named(const tn_app *app, tn_str name);

#endif
