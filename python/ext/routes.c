/* The routes of an Application: see routes.h. */
#include "routes.h"

#include "base/alloc.h"
#include "base/table.h"

struct tnpy_routes {
    PyObject *lists; /* tuple of the lists of rules that these were made from */
    Py_ssize_t lengths;
    unsigned version; /* of the application's class */
    tn__table literals;
    tnpy_route *all;
    size_t n, patterns;
};

/* The sum of the lengths of the lists: a rule that was added changes it. */
static Py_ssize_t lengths_of(PyObject *lists)
{
    Py_ssize_t sum = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(lists); i++) sum += PyList_GET_SIZE(PyTuple_GET_ITEM(lists, i));
    return sum;
}

void tnpy_routes_free(tnpy_routes *routes)
{
    if (!routes) return;
    for (size_t i = 0; i < routes->n; i++) {
        Py_XDECREF(routes->all[i].handler_class);
        Py_XDECREF(routes->all[i].kwargs);
        Py_XDECREF(routes->all[i].match);
        Py_XDECREF(routes->all[i].path);
    }
    tn__table_done(&routes->literals);
    tn__free(routes->all);
    Py_XDECREF(routes->lists);
    tn__free(routes);
}

int tnpy_routes_traverse(const tnpy_routes *routes, visitproc visit, void *arg)
{
    if (!routes) return 0;
    Py_VISIT(routes->lists);
    for (size_t i = 0; i < routes->n; i++) {
        Py_VISIT(routes->all[i].handler_class);
        Py_VISIT(routes->all[i].kwargs);
        Py_VISIT(routes->all[i].match);
    }
    return 0;
}

/* One entry of the prepared list: (literal path or None, match or None, class, kwargs or None, has_groups, named). */
static int add(tnpy_routes *routes, PyObject *entry)
{
    tnpy_route *route = &routes->all[routes->n];
    PyObject *path, *match, *handler_class, *kwargs;
    int has_groups, named;
    if (!PyArg_ParseTuple(entry, "OOOOpp", &path, &match, &handler_class, &kwargs, &has_groups, &named)) return -1;
    route->handler_class = Py_NewRef(handler_class);
    route->kwargs = kwargs == Py_None ? NULL : Py_NewRef(kwargs);
    route->has_groups = has_groups;
    route->named = named;
    routes->n++;
    if (path == Py_None) {
        route->match = Py_NewRef(match);
        routes->patterns++;
        return 0;
    }
    route->path = Py_NewRef(path);
    tn_str key = tn_str_of(PyBytes_AS_STRING(path), (size_t)PyBytes_GET_SIZE(path));
    if (tn__table_get(&routes->literals, key)) return 0; /* the first one wins */
    if (tn__table_set(&routes->literals, key, route) == TN_OK) return 0;
    PyErr_NoMemory();
    return -1;
}

static int fill(tnpy_routes *routes, PyObject *prepared)
{
    PyObject *lists, *entries;
    if (!PyArg_ParseTuple(prepared, "O!O!", &PyTuple_Type, &lists, &PyList_Type, &entries)) return -1;
    routes->lists = Py_NewRef(lists);
    routes->lengths = lengths_of(lists);
    Py_ssize_t n = PyList_GET_SIZE(entries);
    routes->all = tn__zalloc((size_t)(n + 1) * sizeof *routes->all); /* never moves: the table points into it */
    if (!routes->all) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (add(routes, PyList_GET_ITEM(entries, i)) < 0) return -1;
    return 0;
}

int tnpy_routes_refresh(tnpy_state *state, tnpy_routes **place, PyObject *application)
{
    tnpy_routes *old = *place;
    unsigned version = Py_TYPE(application)->tp_version_tag;
    if (old && old->version == version && old->lengths == lengths_of(old->lists)) return 0;
    PyObject *prepared = PyObject_CallOneArg(state->py.compile_routes, application);
    if (!prepared) return -1;
    tnpy_routes *fresh = tn__zalloc(sizeof *fresh);
    int e = fresh ? fill(fresh, prepared) : -1;
    if (!fresh) PyErr_NoMemory();
    Py_DECREF(prepared);
    if (e < 0) {
        tnpy_routes_free(fresh);
        return -1;
    }
    fresh->version = Py_TYPE(application)->tp_version_tag;
    tnpy_routes_free(old);
    *place = fresh;
    return 0;
}

const tnpy_route *tnpy_routes_find(const tnpy_routes *routes, tn_str path, PyObject **match)
{
    *match = NULL;
    const tnpy_route *literal = tn__table_get(&routes->literals, path), *found = NULL;
    if (literal || routes->patterns == 0) return literal;
    PyObject *text = tnpy_latin1(path);
    if (!text) return NULL;
    for (size_t i = 0; i < routes->n && !found; i++) {
        if (!routes->all[i].match) continue;
        PyObject *result = PyObject_CallOneArg(routes->all[i].match, text);
        if (!result) break;
        if (result != Py_None) found = &routes->all[i];
        if (found && found->has_groups)
            *match = result;
        else
            Py_DECREF(result);
    }
    Py_DECREF(text);
    return found;
}
