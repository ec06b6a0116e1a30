/*
 * The routes of an Application as the engine walks them: those in front of its list that are nothing but a path and a class.
 *
 * tornado.web prepares the list (_compile_routes); literal paths are found by hash, patterns by calling their `match`. A request that
 * none of them matches goes the ordinary way, through Application.find_handler, which knows of all rules.
 */
#ifndef TNPY_ROUTES_H
#define TNPY_ROUTES_H

#include "state.h"

typedef struct tnpy_route {
    PyObject *handler_class; /* type */
    PyObject *kwargs;        /* dict; NULL: none */
    PyObject *match;         /* of the pattern; NULL for a literal path */
    PyObject *path;          /* bytes, of a literal */
    bool has_groups, named;  /* named: they are keyword arguments */
} tnpy_route;

typedef struct tnpy_routes tnpy_routes;

/* Make or bring up to date those of an application, in `*routes`. -1 with an exception. */
int tnpy_routes_refresh(tnpy_state *state, tnpy_routes **routes, PyObject *application);

/* The route for a path; NULL when there is none, or, with an exception, on failure. Gives the match (new) of a pattern with groups. */
const tnpy_route *tnpy_routes_find(const tnpy_routes *routes, tn_str path, PyObject **match);

void tnpy_routes_free(tnpy_routes *routes);
int tnpy_routes_traverse(const tnpy_routes *routes, visitproc visit, void *arg);

#endif
