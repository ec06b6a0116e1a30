/* Server: see server_type.h. */
#include "server_type.h"

#include "connection_type.h"

#include <fcntl.h>
#include <unistd.h>

#include "http/room.h"

/* Tornado's own leniency, which its tests pin. */
static const tn__dialect dialect = {
    .bare_lf = true, .fold = true, .equal_lengths = true, .any_target = true, .chunked_1_0 = true, .terse = true};

typedef struct settings {
    PyObject *core, *callback, *application, *adjust, *protocol, *tls;
    int is_delegate, no_keep_alive;
    Py_ssize_t head_bytes_max, body_bytes_max, chunk_bytes_max;
    double idle_timeout, body_timeout;
    const char *server_name;
} settings;

static int parse(PyObject *args, PyObject *kwargs, const tnpy_state *state, settings *s)
{
    static char *names[] = {"core",           "callback",        "application",
                            "adjust",         "protocol",        "tls",
                            "is_delegate",    "no_keep_alive",   "head_bytes_max",
                            "body_bytes_max", "chunk_bytes_max", "idle_timeout",
                            "body_timeout",   "server_name",     NULL};
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O!OOOUOppnnndds:Server", names, state->core_type, &s->core, &s->callback,
                                       &s->application, &s->adjust, &s->protocol, &s->tls, &s->is_delegate, &s->no_keep_alive,
                                       &s->head_bytes_max, &s->body_bytes_max, &s->chunk_bytes_max, &s->idle_timeout,
                                       &s->body_timeout, &s->server_name)
               ? 0
               : -1;
}

static int make_http(tnpy_server *server, const settings *s)
{
    tn_http_opts opts = {
        .head_bytes_max = (size_t)s->head_bytes_max,
        .target_bytes_max = (size_t)s->head_bytes_max,
        .fields_max = 1000,
        .body_bytes_max = (size_t)s->body_bytes_max,
        .idle_timeout = s->idle_timeout,
        .head_timeout = s->idle_timeout,
        .body_timeout = s->body_timeout,
        .send_timeout = -1, /* Tornado waits for a slow reader as long as it takes */
        .no_keep_alive = s->no_keep_alive,
    };
    tn_loop *loop = server->core->loop;
    server->http = tn__http_server_new(loop, &tnpy_http_delegate, server, &opts);
    int e = server->http ? tn__http_set_server_name(loop, tn_z(s->server_name)) : TN_ENOMEM;
    if (e < 0) {
        tnpy_raise(e);
        return -1;
    }
    server->http->opts.body_bytes_max = (size_t)s->body_bytes_max; /* zero forbids bodies, it is no default */
    server->http->dialect = dialect;
    return 0;
}

static PyObject *server_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    settings s;
    if (parse(args, kwargs, tnpy_state_of_type(type), &s) < 0) return NULL;
    tnpy_server *server = (tnpy_server *)type->tp_alloc(type, 0);
    if (!server) return NULL;
    server->core = (tnpy_core *)Py_NewRef(s.core);
    server->callback = Py_NewRef(s.callback);
    server->application = s.application == Py_None ? NULL : server->callback;
    server->adjust = s.adjust == Py_None ? NULL : Py_NewRef(s.adjust);
    server->protocol = Py_NewRef(s.protocol);
    server->tls = s.tls == Py_None ? NULL : Py_NewRef(s.tls);
    server->is_delegate = s.is_delegate;
    server->chunk_bytes_max = (size_t)s.chunk_bytes_max;
    server->context = PyContext_CopyCurrent();
    if (server->context && make_http(server, &s) == 0) return (PyObject *)server;
    Py_DECREF(server);
    return NULL;
}

static PyObject *server_listen(PyObject *self, PyObject *argument)
{
    tnpy_server *server = (tnpy_server *)self;
    int fd = PyObject_AsFileDescriptor(argument);
    if (fd < 0) return NULL;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the socket object keeps its own */
    int e = own < 0 ? -errno : tn__http_server_listen(server->http, own);
    if (e < 0 && own >= 0) close(own);
    if (e < 0) return tnpy_raise(e);
    return PySet_Add(server->core->servers, self) < 0 ? NULL : Py_NewRef(Py_None);
}

/* The last connection of a server that does not listen any more is gone: nothing is left to keep it for. */
static void on_empty(void *arg)
{
    tnpy_server *server = arg;
    if (PySet_Discard(server->core->servers, arg) < 0) PyErr_WriteUnraisable(arg);
}

static PyObject *server_stop(PyObject *self, PyObject *ignored)
{
    tnpy_server *server = (tnpy_server *)self;
    tn__http_server_stop_listening(server->http);
    tn__http_server_when_empty(server->http, on_empty, server);
    Py_RETURN_NONE;
}

static PyObject *server_close_all(PyObject *self, PyObject *ignored)
{
    tn__http_server_close_all(((tnpy_server *)self)->http);
    Py_RETURN_NONE;
}

static PyObject *server_connections(PyObject *self, void *closure)
{
    return PyLong_FromSize_t(((tnpy_server *)self)->http->connections_n);
}

/* What the exchanges of a server own: references that only the engine's memory holds. */
static int traverse_exchanges(const tn__http_server *http, visitproc visit, void *arg)
{
    for (tn__list *at = http->connections.next; at != &http->connections; at = at->next) {
        const tn__http1 *h = TN__OWNER(at, tn__http1, node);
        if (h->exchange) Py_VISIT(h->exchange->user);
        if (h->drain) Py_VISIT(TN__OWNER(h->drain, tnpy_connection, drain));
    }
    return 0;
}

static int server_traverse(PyObject *self, visitproc visit, void *arg)
{
    tnpy_server *server = (tnpy_server *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(server->core);
    Py_VISIT(server->callback);
    Py_VISIT(server->adjust);
    Py_VISIT(server->context);
    int e = server->http ? traverse_exchanges(server->http, visit, arg) : 0;
    return e ? e : tnpy_routes_traverse(server->routes, visit, arg);
}

/* The connections go first: they let go of what the application holds, without a word to it. */
static void close_http(tnpy_server *server)
{
    tn__http_server *http = server->http;
    server->http = NULL;
    server->silent = true;
    tn__http_server_free(http);
}

static int server_clear(PyObject *self)
{
    tnpy_server *server = (tnpy_server *)self;
    close_http(server);
    tnpy_routes_free(server->routes);
    server->routes = NULL;
    server->application = NULL;
    Py_CLEAR(server->callback);
    Py_CLEAR(server->adjust);
    Py_CLEAR(server->tls);
    return 0;
}

static void server_dealloc(PyObject *self)
{
    tnpy_server *server = (tnpy_server *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    server_clear(self);
    Py_CLEAR(server->context);
    Py_CLEAR(server->protocol);
    Py_CLEAR(server->core);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"listen", server_listen, METH_O,
     "listen($self, socket)\n--\n\nAccept connections from a listening socket, which stays the caller's."},
    {"stop", server_stop, METH_NOARGS, "stop($self)\n--\n\nAccept no more connections; those that are open go on."},
    {"close_all", server_close_all, METH_NOARGS, "close_all($self)\n--\n\nClose every connection."},
    {0},
};

static PyGetSetDef getset[] = {
    {"connections", server_connections, NULL, "How many connections are open.", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "An HTTP server of the engine."},
    {Py_tp_new, server_new},
    {Py_tp_dealloc, server_dealloc},
    {Py_tp_traverse, server_traverse},
    {Py_tp_clear, server_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tornado._engine.Server",
    .basicsize = sizeof(tnpy_server),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int tnpy_init_server(PyObject *module)
{
    return tnpy_add_type(module, &spec, &tnpy_state_of(module)->server_type);
}
