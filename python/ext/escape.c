/* What tornado.escape leaves to C: text of HTML and of URLs. */
#include "base/html.h"
#include "http/url.h"
#include "httputil.h"

/* -- HTML -- */

/* Is this one of "&'<> ? A bit for each character below 64: text has few of them, so this is what takes the time. */
static inline bool is_special(Py_UCS4 c)
{
    const uint64_t specials = 1ull << '"' | 1ull << '&' | 1ull << '\'' | 1ull << '<' | 1ull << '>';
    return c < 64 && specials >> c & 1;
}

static tn_str reference_of(Py_UCS4 special)
{
    return tn_z(tn__html_entity((unsigned char)special));
}

static Py_ssize_t escaped_length(PyObject *text)
{
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), length = n;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (is_special(c)) length += (Py_ssize_t)reference_of(c).n - 1;
    }
    return length;
}

static void write_escaped(PyObject *text, PyObject *out)
{
    int kind = PyUnicode_KIND(text); /* and of `out`, which has the same widest character */
    const void *data = PyUnicode_DATA(text);
    void *to = PyUnicode_DATA(out);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), at = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (!is_special(c)) {
            PyUnicode_WRITE(kind, to, at++, c);
            continue;
        }
        tn_str reference = reference_of(c);
        for (size_t k = 0; k < reference.n; k++) PyUnicode_WRITE(kind, to, at++, (Py_UCS1)reference.p[k]);
    }
}

static PyObject *xhtml_escape(PyObject *module, PyObject *text)
{
    if (!PyUnicode_Check(text)) return PyErr_Format(PyExc_TypeError, "expected str, not %s", Py_TYPE(text)->tp_name);
    if (PyUnicode_READY(text) < 0) return NULL;
    Py_ssize_t length = escaped_length(text);
    if (length == PyUnicode_GET_LENGTH(text)) return PyUnicode_FromObject(text); /* nothing to escape */
    PyObject *out = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(text));
    if (out) write_escaped(text, out);
    return out;
}

/* -- URLs -- */

/* The bytes of a str in UTF-8, or of bytes; borrowed. */
static int utf8_of(PyObject *value, tn_str *text)
{
    Py_ssize_t n;
    if (PyUnicode_Check(value)) {
        const char *p = PyUnicode_AsUTF8AndSize(value, &n);
        *text = tn_str_of(p, p ? (size_t)n : 0);
        return p ? 0 : -1;
    }
    if (PyBytes_Check(value)) {
        *text = tn_str_of(PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value));
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "expected str or bytes, not %s", Py_TYPE(value)->tp_name);
    return -1;
}

/* (value, plus) */
static int url_arguments(PyObject *const *args, Py_ssize_t n, tn_str *text, bool *plus)
{
    if (n != 2) {
        PyErr_SetString(PyExc_TypeError, "a text and a flag are expected");
        return -1;
    }
    int flag = PyObject_IsTrue(args[1]);
    if (flag < 0 || utf8_of(args[0], text) < 0) return -1;
    *plus = flag;
    return 0;
}

static PyObject *url_escape(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    tn_str text;
    bool plus;
    if (url_arguments(args, n, &text, &plus) < 0) return NULL;
    tn_buf out = {0};
    int rc = tn__url_escape(&out, text, plus);
    PyObject *escaped = rc < 0 ? tnpy_raise(rc) : PyUnicode_FromStringAndSize(out.p, (Py_ssize_t)out.n);
    tn__buf_done(&out);
    return escaped;
}

static PyObject *url_unescape(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    tn_str text;
    bool plus;
    if (url_arguments(args, n, &text, &plus) < 0) return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)text.n);
    if (!bytes) return NULL;
    size_t used = tn__url_decode(PyBytes_AS_STRING(bytes), text, plus);
    if (used < text.n) _PyBytes_Resize(&bytes, (Py_ssize_t)used);
    return bytes;
}

static PyMethodDef functions[] = {
    {"xhtml_escape", xhtml_escape, METH_O, "xhtml_escape(text, /)\n--\n\nReturn text in which nothing is HTML."},
    {"url_escape", (PyCFunction)(void (*)(void))url_escape, METH_FASTCALL,
     "url_escape(value, plus, /)\n--\n\nReturn text as it may stand in a URL."},
    {"url_unescape", (PyCFunction)(void (*)(void))url_unescape, METH_FASTCALL,
     "url_unescape(value, plus, /)\n--\n\nReturn the bytes that escaped text stands for."},
    {0},
};

int tnpy_init_escape(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
