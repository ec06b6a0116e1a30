/*
 * Building applications. Errors on the way are remembered, the first one is told when the application is started; so a table of
 * routes stays a table.
 */
#include "app.h"

#include <stdio.h>

#include "base/alloc.h"

static void remember(tn_app *app, int code, const char *what, const char *which)
{
    if (app->error.code) return;
    app->error.code = code;
    snprintf(app->error.text, sizeof app->error.text, "%.90s: %.100s", which ? which : "route", what);
}

#define INHERIT(slot)                                                                                                              \
    if (!into->slot) into->slot = from->slot

/* Fill what is empty in `into` from one ancestor. */
static void inherit(tn_handler *into, const tn_handler *from)
{
    INHERIT(size);
    INHERIT(set_default_headers);
    INHERIT(initialize);
    INHERIT(prepare);
    INHERIT(get);
    INHERIT(head);
    INHERIT(post);
    INHERIT(put);
    INHERIT(patch);
    INHERIT(del);
    INHERIT(options);
    INHERIT(any);
    INHERIT(data_received);
    INHERIT(on_finish);
    INHERIT(on_connection_close);
    INHERIT(write_error);
    INHERIT(log_request);
    INHERIT(cancel_on_close);
    INHERIT(stack_size);
}

int tn_super_(tn_req *r, const tn_handler *handler, size_t slot_offset)
{
    for (const tn_handler *at = handler->super; at; at = at->super) {
        tn_method *fn;
        memcpy(&fn, (const char *)at + slot_offset, sizeof fn);
        if (fn) return fn(r);
    }
    return TN_OK;
}

/* The class of a handler: made once, at its first registration. */
static const tn__class *class_of(tn_app *app, const tn_handler *handler)
{
    for (tn__class *c = app->classes; c; c = c->next)
        if (c->source == handler) return c;
    tn__class *c = tn__zalloc(sizeof *c);
    if (!c) return NULL;
    c->source = handler;
    c->slots = *handler;
    for (const tn_handler *at = handler->super; at; at = at->super) inherit(&c->slots, at);
    c->next = app->classes;
    app->classes = c;
    return c;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The group of rules that a route belongs to: the last one, when it is for the same hosts. */
static tn__rules *rules_for(tn_app *app, const char *host)
{
    if (app->rules_last && same_text(app->rules_last->host_text, host)) return app->rules_last;
    tn__rules *g = tn__zalloc(sizeof *g);
    if (!g) {
        remember(app, TN_ENOMEM, "out of memory", NULL);
        return NULL;
    }
    tn_error err = {0};
    int e = host ? tn__pattern_new(&g->host, host, &err) : TN_OK;
    if (e < 0) {
        remember(app, e, err.text, host);
        tn__free(g);
        return NULL;
    }
    g->host_text = host;
    if (host) app->by_host = true;
    if (app->rules_last)
        app->rules_last->next = g;
    else
        app->rules = g;
    app->rules_last = g;
    return g;
}

/* Would a pattern that comes earlier catch this path? Then the literal can never win. */
static bool caught_earlier(const tn__rules *g, tn_str path)
{
    for (size_t i = 0; g->patterns > 0 && i < g->n; i++)
        if (g->all[i]->pattern && tn__pattern_match(g->all[i]->pattern, path, NULL)) return true;
    return tn__table_get(&g->literals, path) != NULL;
}

static int append(tn__rules *g, tn__rule *rule)
{
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 8;
        tn__rule **all = tn__realloc(g->all, cap * sizeof *all);
        if (!all) return TN_ENOMEM;
        g->all = all;
        g->cap = cap;
    }
    if (rule->pattern) {
        g->patterns++;
    } else {
        tn_str path = tn_z(rule->route->path);
        if (!caught_earlier(g, path)) TN_TRY(tn__table_set(&g->literals, path, rule));
    }
    g->all[g->n++] = rule;
    return TN_OK;
}

static void free_rule(tn__rule *rule)
{
    tn__pattern_free(rule->pattern);
    tn__free(rule);
}

/* Give a rule its class and its pattern. */
static int fill_rule(tn_app *app, tn__rule *rule, const tn_route *route, tn_error *err)
{
    rule->route = route;
    if (!route->handler == !route->function) {
        snprintf(err->text, sizeof err->text, "a route has either a handler or a function");
        return TN_EINVAL;
    }
    if (route->function) {
        rule->own.slots.any = route->function;
        rule->cls = &rule->own;
    } else {
        rule->cls = class_of(app, route->handler);
        if (!rule->cls) return TN_ENOMEM;
    }
    return tn__pattern_is_literal(route->path) ? TN_OK : tn__pattern_new(&rule->pattern, route->path, err);
}

static void add_route(tn_app *app, const tn_route *route)
{
    tn__rules *g = rules_for(app, route->host);
    if (!g) return;
    tn_error err = {.text = "out of memory"};
    tn__rule *rule = tn__zalloc(sizeof *rule);
    int e = rule ? fill_rule(app, rule, route, &err) : TN_ENOMEM;
    if (e == TN_OK) e = append(g, rule);
    if (e < 0) {
        remember(app, e, err.text, route->path);
        if (rule) free_rule(rule);
    }
}

tn_app *tn_app_add_routes(tn_app *app, const tn_route *routes)
{
    if (!app || !routes) return app;
    for (const tn_route *route = routes; route->path; route++) add_route(app, route);
    return app;
}

tn_app *tn_app_new_(const tn_app_opts *opts, size_t opts_size)
{
    tn_app *app = tn__zalloc(sizeof *app);
    if (!app) return NULL;
    if (opts_size > offsetof(tn_app_opts, end_)) opts_size = offsetof(tn_app_opts, end_);
    memcpy(&app->opts, opts, opts_size);
    if (app->opts.default_handler) {
        app->not_found = (tn__class *)class_of(app, app->opts.default_handler);
        if (!app->not_found) remember(app, TN_ENOMEM, "out of memory", "default handler");
    }
    return tn_app_add_routes(app, app->opts.routes);
}

void tn_app_free(tn_app *app)
{
    if (!app) return;
    while (app->rules) {
        tn__rules *g = app->rules;
        app->rules = g->next;
        for (size_t i = 0; i < g->n; i++) free_rule(g->all[i]);
        tn__free(g->all);
        tn__table_done(&g->literals);
        tn__pattern_free(g->host);
        tn__free(g);
    }
    while (app->classes) {
        tn__class *c = app->classes;
        app->classes = c->next;
        tn__free(c);
    }
    tn__free(app);
}

int tn_app_error(const tn_app *app, tn_error *err)
{
    static const tn_error no_memory = {.code = TN_ENOMEM, .text = "out of memory"};
    const tn_error *found = app ? &app->error : &no_memory;
    if (err && found->code) *err = *found;
    return found->code;
}

void *tn_app_data(const tn_app *app)
{
    return app->opts.data;
}
