/* Request: see request_type.h. */
#include "request_type.h"

#include <structmember.h>

#include "base/alloc.h"
#include "headers_type.h"

/* The attributes, in the order of `attributes` below. */
enum {
    METHOD,
    URI,
    PATH,
    QUERY,
    VERSION,
    HEADERS,
    BODY,
    REMOTE_IP,
    PROTOCOL,
    HOST,
    HOST_NAME,
    ARGUMENTS,
    QUERY_ARGUMENTS,
    BODY_ARGUMENTS,
    FILES,
    COOKIES,
    CONNECTION,
    SERVER_CONNECTION,
    START_TIME,
    ATTRIBUTES
};

typedef struct request {
    PyObject_HEAD
    PyObject *dict, *weakrefs;
    tnpy_state *state;
    tnpy_connection *source;      /* NULL when made by Python code, or by now gone */
    char *kept;                   /* copy of the head's fields, and behind them its bytes; NULL: look at the exchange */
    tn__request_head head;        /* of the copy */
    PyObject *values[ATTRIBUTES]; /* NULL: not computed yet */
} request;

/* Where the head lies now. NULL: there is none. */
static const tn__request_head *head_of(const request *r, const char **base)
{
    if (r->kept) {
        *base = r->kept + r->head.n_fields * sizeof *r->head.fields;
        return &r->head;
    }
    if (!r->source || !r->source->x) return NULL;
    *base = r->source->x->base;
    return &r->source->x->head;
}

static tn_str slice(const char *base, tn__slice s)
{
    return tn_str_of(base + s.at, s.n);
}

PyObject *tnpy_request_new(tnpy_connection *c)
{
    tnpy_state *state = c->server->core->state;
    PyTypeObject *type = state->py.request_class ? (PyTypeObject *)state->py.request_class : state->request_type;
    request *r = (request *)type->tp_alloc(type, 0);
    if (!r) return NULL;
    r->state = state;
    r->source = (tnpy_connection *)Py_NewRef(c);
    return (PyObject *)r;
}

bool tnpy_request_raw_field(const tnpy_connection *c, tn_str name, tn_str *value)
{
    const request *r = (const request *)c->request;
    if (!c->x || (r && r->values[HEADERS])) return false;
    *value = (tn_str){0};
    const tn__request_head *head = &c->x->head;
    for (uint32_t i = 0; i < head->n_fields; i++) {
        const tn__field *f = &head->fields[i];
        if (f->name.n != name.n || !tn_str_caseeq(slice(c->x->base, f->name), name)) continue;
        if (value->p) return false; /* several of them: they are to be joined */
        *value = slice(c->x->base, f->value);
    }
    return true;
}

int tnpy_request_retain(PyObject *self)
{
    request *r = (request *)self;
    if (r->kept || !r->source || !r->source->x) return 0;
    const tn__exchange *x = r->source->x;
    size_t fields = x->head.n_fields * sizeof *x->head.fields;
    char *kept = tn__alloc(fields + x->head.bytes + 1);
    if (!kept) {
        PyErr_NoMemory();
        return -1;
    }
    r->head = x->head;
    r->head.fields = (tn__field *)kept;
    if (fields) memcpy(kept, x->head.fields, fields);
    memcpy(kept + fields, x->base, x->head.bytes + 1);
    /* What depends on more than the head is computed now. */
    static const char *const needed[] = {"body", "remote_ip"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        PyObject *value = PyObject_GetAttrString(self, needed[i]);
        if (!value) PyErr_Clear();
        Py_XDECREF(value);
    }
    r->kept = kept;
    return 0;
}

/* -- The attributes -- */

static PyObject *make_remote_ip(const request *r)
{
    if (!r->source || !r->source->x) return PyUnicode_FromString("0.0.0.0");
    char text[TN_ADDR_TEXT_BYTES];
    return tnpy_latin1(tn__http1_remote_ip(r->source->x->conn, text));
}

static PyObject *make_host(const tn__request_head *head, const char *base)
{
    return head->host.n ? tnpy_latin1(slice(base, head->host)) : PyUnicode_FromString("127.0.0.1");
}

/* The host without its port, in lower case. */
static PyObject *make_host_name(request *r)
{
    PyObject *host = PyObject_GetAttr((PyObject *)r, r->state->str.host), *name = NULL;
    tn_str text;
    if (!host) return NULL;
    if (tnpy_text(host, &text) == 0) {
        size_t n = text.n;
        while (n > 0 && text.p[n - 1] >= '0' && text.p[n - 1] <= '9') n--;
        bool port = n > 0 && n < text.n && text.p[n - 1] == ':';
        PyObject *bare = tnpy_latin1(tn_str_of(text.p, port ? n - 1 : text.n));
        if (bare) name = tnpy_call0(bare, r->state->str.lower);
        Py_XDECREF(bare);
    }
    Py_DECREF(host);
    return name;
}

static PyObject *get_attribute(PyObject *self, void *closure);

static PyObject *make_arguments(request *r)
{
    PyObject *query = get_attribute((PyObject *)r, (void *)(intptr_t)QUERY);
    if (!query) return NULL;
    PyObject *result = PyUnicode_Check(query) && PyUnicode_GET_LENGTH(query) == 0
                           ? PyDict_New()
                           : PyObject_CallOneArg(r->state->py.parse_query, query);
    Py_DECREF(query);
    return result;
}

static PyObject *make_body(const request *r)
{
    const tn__exchange *x = r->source ? r->source->x : NULL;
    return tnpy_bytes(x ? x->body : tn_str_of("", 0));
}

/* Those that need the head; a request without one has them set by its __init__, or not at all. */
static PyObject *compute_from_head(request *r, int which)
{
    const char *base = NULL;
    const tn__request_head *head = head_of(r, &base);
    if (!head) return NULL;
    switch (which) {
    case METHOD: return tnpy_latin1(slice(base, head->method));
    case URI: return tnpy_latin1(slice(base, head->target));
    case PATH: return tnpy_latin1(slice(base, head->path));
    case QUERY: return tnpy_latin1(slice(base, head->query));
    case VERSION: return PyUnicode_FromFormat("HTTP/1.%d", head->minor);
    case HEADERS: return tnpy_headers_from_fields(r->state, base, head->fields, head->n_fields);
    case HOST: return make_host(head, base);
    default: return NULL;
    }
}

static PyObject *compute(request *r, int which)
{
    switch (which) {
    case BODY: return make_body(r);
    case REMOTE_IP: return make_remote_ip(r);
    case PROTOCOL: return r->source ? Py_NewRef(r->source->server->protocol) : PyUnicode_FromString("http");
    case HOST_NAME: return make_host_name(r);
    case ARGUMENTS:
    case QUERY_ARGUMENTS: return make_arguments(r);
    case BODY_ARGUMENTS:
    case FILES: return PyDict_New();
    case COOKIES: return PyObject_CallOneArg(r->state->py.make_cookies, (PyObject *)r);
    case CONNECTION:
    case SERVER_CONNECTION: return Py_NewRef(r->source ? (PyObject *)r->source : Py_None);
    case START_TIME: return PyFloat_FromDouble(r->source ? r->source->started : 0.0);
    default: return compute_from_head(r, which);
    }
}

static PyGetSetDef attributes[];

static PyObject *get_attribute(PyObject *self, void *closure)
{
    request *r = (request *)self;
    int which = (int)(intptr_t)closure;
    if (!r->values[which]) {
        r->values[which] = compute(r, which);
        if (!r->values[which]) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_AttributeError, attributes[which].name);
            return NULL;
        }
    }
    return Py_NewRef(r->values[which]);
}

static int set_attribute(PyObject *self, PyObject *value, void *closure)
{
    request *r = (request *)self;
    Py_XINCREF(value);
    Py_XSETREF(r->values[(intptr_t)closure], value);
    return 0;
}

#define ATTRIBUTE(which, name, doc) [which] = {name, get_attribute, set_attribute, doc, (void *)(intptr_t)which}

static PyGetSetDef attributes[] = {
    ATTRIBUTE(METHOD, "method", "The method, such as \"GET\"."),
    ATTRIBUTE(URI, "uri", "The request-target as it was sent."),
    ATTRIBUTE(PATH, "path", "The path of it, not decoded."),
    ATTRIBUTE(QUERY, "query", "What follows the question mark."),
    ATTRIBUTE(VERSION, "version", "The version of the protocol, such as \"HTTP/1.1\"."),
    ATTRIBUTE(HEADERS, "headers", "The fields of the head, an HTTPHeaders."),
    ATTRIBUTE(BODY, "body", "The body, bytes."),
    ATTRIBUTE(REMOTE_IP, "remote_ip", "The address of the client."),
    ATTRIBUTE(PROTOCOL, "protocol", "\"http\" or \"https\"."),
    ATTRIBUTE(HOST, "host", "The host that was asked for, with its port if it has one."),
    ATTRIBUTE(HOST_NAME, "host_name", "The same without the port, in lower case."),
    ATTRIBUTE(ARGUMENTS, "arguments", "Arguments of the query and of the body: names to lists of bytes."),
    ATTRIBUTE(QUERY_ARGUMENTS, "query_arguments", "Those of the query."),
    ATTRIBUTE(BODY_ARGUMENTS, "body_arguments", "Those of the body."),
    ATTRIBUTE(FILES, "files", "Files of a form: names to lists of HTTPFile."),
    ATTRIBUTE(COOKIES, "cookies", "The cookies, a SimpleCookie."),
    ATTRIBUTE(CONNECTION, "connection", "The connection, to write to without a RequestHandler."),
    ATTRIBUTE(SERVER_CONNECTION, "server_connection", "The connection of the server that the request came in through."),
    ATTRIBUTE(START_TIME, "_start_time", "When it came in, by time.time."),
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {0},
};

/* -- Life -- */

static PyObject *request_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    request *r = (request *)type->tp_alloc(type, 0);
    if (r) r->state = tnpy_state_of_type(type);
    return (PyObject *)r;
}

static int request_traverse(PyObject *self, visitproc visit, void *arg)
{
    request *r = (request *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(r->dict);
    Py_VISIT(r->source);
    for (int i = 0; i < ATTRIBUTES; i++) Py_VISIT(r->values[i]);
    return 0;
}

static int request_clear(PyObject *self)
{
    request *r = (request *)self;
    Py_CLEAR(r->dict);
    Py_CLEAR(r->source);
    for (int i = 0; i < ATTRIBUTES; i++) Py_CLEAR(r->values[i]);
    return 0;
}

static void request_dealloc(PyObject *self)
{
    request *r = (request *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (r->weakrefs) PyObject_ClearWeakRefs(self);
    request_clear(self);
    tn__free(r->kept);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(request, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(request, weakrefs), READONLY, NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The attributes of a request, computed when they are first looked at."},
    {Py_tp_new, request_new},
    {Py_tp_dealloc, request_dealloc},
    {Py_tp_traverse, request_traverse},
    {Py_tp_clear, request_clear},
    {Py_tp_getset, attributes},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tornado._engine.Request",
    .basicsize = sizeof(request),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int tnpy_init_request(PyObject *module)
{
    return tnpy_add_type(module, &spec, &tnpy_state_of(module)->request_type);
}
