/*
 * From host and path to a rule: literals by hash, patterns in order, the first match wins. A literal that an earlier pattern would
 * catch was never put into the table (app.c), so looking there first is right.
 */
#include "app.h"

static const tn__rule *route_in(const tn__rules *g, tn_str path, tn__groups *groups)
{
    const tn__rule *literal = tn__table_get(&g->literals, path);
    if (literal) return literal;
    size_t left = g->patterns;
    for (size_t i = 0; left > 0; i++) {
        if (!g->all[i]->pattern) continue;
        left--;
        if (tn__pattern_match(g->all[i]->pattern, path, groups)) return g->all[i];
    }
    return NULL;
}

const tn__rule *tn__app_route(const tn_app *app, tn_str host_name, tn_str path, tn__groups *groups)
{
    groups->n = 0;
    for (const tn__rules *g = app->rules; g; g = g->next) {
        if (g->host && !tn__pattern_match(g->host, host_name, NULL)) continue;
        const tn__rule *rule = route_in(g, path, groups);
        if (rule) return rule;
    }
    return NULL;
}

const tn__rule *tn__app_named(const tn_app *app, tn_str name)
{
    const tn__rule *found = NULL;
    for (const tn__rules *g = app->rules; g; g = g->next) {
        for (size_t i = 0; i < g->n; i++) {
            const char *has = g->all[i]->route->name;
            if (has && tn_str_eq(tn_z(has), name)) found = g->all[i]; /* the last one wins, as in Tornado */
        }
    }
    return found;
}
