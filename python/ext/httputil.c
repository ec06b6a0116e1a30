/*
 * What tornado.httputil asks of the engine: start lines, cookies, queries, bodies of forms, parameters, ranges, dates.
 *
 * Heads are text in latin-1 in Python, one character for each byte, so the parsers read the bytes of a str in place. Each function
 * takes and gives plain objects (str, bytes, tuple, dict); names and classes are the Python module's.
 */
#include "httputil.h"

#include "headers_type.h"
#include "http/cookie.h"
#include "http/date.h"
#include "http/multipart.h"
#include "http/params.h"
#include "http/range.h"
#include "http/start_line.h"
#include "http/url.h"

PyObject *tnpy_input_error(tnpy_state *state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *text = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (!text) return NULL;
    /* It is handed over by tornado.httputil, which alone calls what can raise it. */
    PyErr_SetObject(state->py.http_input_error ? state->py.http_input_error : PyExc_ValueError, text);
    Py_DECREF(text);
    return NULL;
}

/* The bytes of a str of a head. A wider one cannot come from a head: it is refused with `complaint`. */
static int head_text(PyObject *module, PyObject *object, const char *complaint, tn_str *text)
{
    bool wide = PyUnicode_Check(object) && (PyUnicode_READY(object) < 0 || PyUnicode_KIND(object) != PyUnicode_1BYTE_KIND);
    if (!wide && tnpy_text(object, text) == 0) return 0;
    if (!wide) PyErr_Format(PyExc_TypeError, "expected str or bytes, not %s", Py_TYPE(object)->tp_name);
    if (!PyErr_Occurred()) tnpy_input_error(tnpy_state_of(module), "%s", complaint);
    return -1;
}

/* -- Start lines -- */

static PyObject *parse_request_line(PyObject *module, PyObject *line)
{
    static const char malformed[] = "Malformed HTTP request line";
    tn_str text;
    tn__request_line parts;
    if (head_text(module, line, malformed, &text) < 0) return NULL;
    if (!tn__request_line_split(text, &parts)) return tnpy_input_error(tnpy_state_of(module), "%s", malformed);
    return Py_BuildValue("NNN", tnpy_latin1(parts.method), tnpy_latin1(parts.target), tnpy_latin1(parts.version));
}

static PyObject *parse_status_line(PyObject *module, PyObject *line)
{
    static const char malformed[] = "Error parsing response start line";
    tn_str text;
    tn__status_line parts;
    if (head_text(module, line, malformed, &text) < 0) return NULL;
    if (!tn__status_line_split(text, &parts)) return tnpy_input_error(tnpy_state_of(module), "%s", malformed);
    PyObject *phrase = parts.phrase.n ? tnpy_latin1(parts.phrase) : Py_NewRef(Py_None);
    return Py_BuildValue("NiN", tnpy_latin1(parts.version), parts.status, phrase);
}

/* -- Cookies -- */

/* How the bytes of a text stand for characters: a head's are latin-1, any other text is looked at in UTF-8. */
typedef PyObject *(*decoder)(tn_str);

static PyObject *from_utf8(tn_str s)
{
    return PyUnicode_DecodeUTF8(s.p, (Py_ssize_t)s.n, "replace");
}

static int set_cookie(PyObject *cookies, const tn__cookie *cookie, tn__arena *arena, decoder decode)
{
    tn_str unquoted = tn__cookie_unquote(arena, cookie->value);
    PyObject *name = unquoted.p ? decode(cookie->name) : PyErr_NoMemory();
    PyObject *value = name ? decode(unquoted) : NULL;
    int result = value ? PyDict_SetItem(cookies, name, value) : -1;
    Py_XDECREF(name);
    Py_XDECREF(value);
    return result;
}

static PyObject *collect_cookies(tn_str text, decoder decode)
{
    PyObject *cookies = PyDict_New();
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn__cookie cookie;
    while (cookies && tn__cookie_next(&text, &cookie))
        if (set_cookie(cookies, &cookie, &arena, decode) < 0) Py_CLEAR(cookies);
    tn__arena_done(&arena);
    return cookies;
}

static PyObject *parse_cookie(PyObject *module, PyObject *cookie)
{
    if (!PyUnicode_Check(cookie)) return PyErr_Format(PyExc_TypeError, "expected str, not %s", Py_TYPE(cookie)->tp_name);
    if (PyUnicode_READY(cookie) < 0) return NULL;
    if (PyUnicode_KIND(cookie) == PyUnicode_1BYTE_KIND) {
        return collect_cookies(tn_str_of(PyUnicode_1BYTE_DATA(cookie), (size_t)PyUnicode_GET_LENGTH(cookie)), tnpy_latin1);
    }
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(cookie, &n);
    return p ? collect_cookies(tn_str_of(p, (size_t)n), from_utf8) : NULL;
}

/* -- Queries and forms -- */

/* Append to the list that the dict has under the name. */
static int append(PyObject *dict, PyObject *name, PyObject *value)
{
    PyObject *list = PyDict_GetItemWithError(dict, name); /* borrowed */
    if (list) return PyList_Append(list, value);
    list = PyErr_Occurred() ? NULL : PyList_New(1);
    if (!list) return -1;
    PyList_SET_ITEM(list, 0, Py_NewRef(value));
    int result = PyDict_SetItem(dict, name, list);
    Py_DECREF(list);
    return result;
}

static int append_argument(PyObject *arguments, tn_str name, tn_str value, decoder decode)
{
    PyObject *key = decode(name), *item = key ? tnpy_bytes(value) : NULL;
    int result = item ? append(arguments, key, item) : -1;
    Py_XDECREF(key);
    Py_XDECREF(item);
    return result;
}

static PyObject *collect_arguments(PyObject *module, tn_str text, bool keep_blank, uint32_t args_max)
{
    PyObject *arguments = PyDict_New();
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn__query query = tn__query_begin(text, args_max);
    tn_str name, value;
    int rc = 1;
    while (arguments && (rc = tn__query_next(&query, &arena, &name, &value)) > 0)
        if ((value.n || keep_blank) && append_argument(arguments, name, value, tnpy_latin1) < 0) Py_CLEAR(arguments);
    tn__arena_done(&arena);
    if (!arguments || rc == 0) return arguments;
    Py_DECREF(arguments);
    return rc == TN_ETOOBIG ? tnpy_input_error(tnpy_state_of(module), "too many arguments") : tnpy_raise(rc);
}

/* (text, keep_blank_values=True, arguments_max=all there are) */
static PyObject *parse_query(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (n < 1 || n > 3) return PyErr_Format(PyExc_TypeError, "parse_query() takes a text, a flag and a number");
    int keep_blank = n > 1 ? PyObject_IsTrue(args[1]) : 1;
    Py_ssize_t max = n > 2 ? PyNumber_AsSsize_t(args[2], NULL) : UINT32_MAX;
    if (PyErr_Occurred()) return NULL;
    tn_str text;
    int rc = tnpy_text(args[0], &text);
    if (rc > 0) PyErr_Format(PyExc_TypeError, "expected str or bytes, not %s", Py_TYPE(args[0])->tp_name);
    uint32_t args_max = max < 0 ? 0 : max > UINT32_MAX ? UINT32_MAX : (uint32_t)max;
    return rc == 0 ? collect_arguments(module, text, keep_blank, args_max) : NULL;
}

static int append_file(PyObject *files, const tn__part *part, PyObject *file_type)
{
    PyObject *key = from_utf8(part->name), *args = key ? PyTuple_New(0) : NULL, *file = NULL;
    PyObject *members = args ? Py_BuildValue("{s:N,s:N,s:N}", "filename", from_utf8(part->filename), "body", tnpy_bytes(part->body),
                                             "content_type", from_utf8(part->content_type))
                             : NULL;
    if (members) file = PyObject_Call(file_type, args, members);
    int result = file ? append(files, key, file) : -1;
    Py_XDECREF(key);
    Py_XDECREF(args);
    Py_XDECREF(members);
    Py_XDECREF(file);
    return result;
}

/* What parse_multipart is called with. All borrowed. */
typedef struct form {
    PyObject *arguments, *files, *file_type;
    Py_ssize_t parts_max;
} form;

static PyObject *refuse_form(PyObject *module, int rc, const char *reason)
{
    return rc == TN_ENOMEM ? PyErr_NoMemory() : tnpy_input_error(tnpy_state_of(module), "%s", reason);
}

/* As in HTML, a file input that was left empty has a file name of no bytes: it is an argument. */
static int add_part(const form *to, const tn__part *part)
{
    if (part->filename.n) return append_file(to->files, part, to->file_type);
    return append_argument(to->arguments, part->name, part->body, from_utf8);
}

static int walk_parts(PyObject *module, tn__multipart *m, tn__arena *arena, const form *to)
{
    const char *reason = "";
    tn__part part;
    int rc;
    for (Py_ssize_t parts = 1; (rc = tn__multipart_next(m, arena, &part, &reason)) > 0; parts++) {
        if (parts > to->parts_max) {
            refuse_form(module, TN_ETOOBIG, "multipart body with too many parts");
            return -1;
        }
        if (add_part(to, &part) < 0) return -1;
    }
    if (rc < 0) refuse_form(module, rc, reason);
    return rc;
}

/* parse_multipart(boundary, body, arguments, files, file_type, parts_max, part_head_bytes_max) */
static PyObject *parse_multipart(PyObject *module, PyObject *args)
{
    Py_buffer boundary, body;
    form to;
    Py_ssize_t head_max;
    if (!PyArg_ParseTuple(args, "y*y*O!O!Onn:parse_multipart", &boundary, &body, &PyDict_Type, &to.arguments, &PyDict_Type,
                          &to.files, &to.file_type, &to.parts_max, &head_max)) {
        return NULL;
    }
    /* Zero would mean the default to the engine. A part without a header line is none, so 1 refuses as much. */
    tn__multipart_limits limits = {.parts_max = UINT32_MAX, .open_start = true};
    limits.part_head_bytes_max = head_max < 1 ? 1 : head_max > INT32_MAX ? INT32_MAX : (uint32_t)head_max;
    const char *reason = "";
    tn__multipart m;
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn_str boundary_text = tn_str_of(boundary.buf, (size_t)boundary.len), text = tn_str_of(body.buf, (size_t)body.len);
    int rc = tn__multipart_begin_at(&m, &arena, boundary_text, text, &limits, &reason);
    if (rc < 0)
        refuse_form(module, rc, reason);
    else
        rc = walk_parts(module, &m, &arena, &to);
    tn__arena_done(&arena);
    PyBuffer_Release(&boundary);
    PyBuffer_Release(&body);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* -- Names, ranges and dates -- */

static PyObject *normalize_header(PyObject *module, PyObject *name)
{
    return tnpy_header_name(name);
}

static PyObject *number_or_none(int64_t number)
{
    return number < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(number);
}

static PyObject *parse_range(PyObject *module, PyObject *field)
{
    tn_str text;
    int64_t first, last;
    int rc = tnpy_text(field, &text);
    if (rc < 0) PyErr_Clear(); /* no digit is beyond latin-1 */
    if (rc != 0 || !tn__range_parse(text, &first, &last)) Py_RETURN_NONE;
    return Py_BuildValue("NN", number_or_none(first), number_or_none(last));
}

static PyObject *format_date(PyObject *module, PyObject *seconds)
{
    long long value = PyLong_AsLongLong(seconds);
    if (value == -1 && PyErr_Occurred()) return NULL;
    char text[TN__DATE_BYTES];
    tn__date_format(text, value);
    return tnpy_latin1(tn_str_of(text, sizeof text));
}

static PyMethodDef functions[] = {
    {"parse_request_line", parse_request_line, METH_O,
     "parse_request_line(line, /)\n--\n\nReturn method, target and version. Raises HTTPInputError."},
    {"parse_status_line", parse_status_line, METH_O,
     "parse_status_line(line, /)\n--\n\nReturn version, code, and phrase or None. Raises HTTPInputError."},
    {"parse_cookie", parse_cookie, METH_O, "parse_cookie(cookie, /)\n--\n\nReturn the cookies of a Cookie field as a dict."},
    {"parse_query", (PyCFunction)(void (*)(void))parse_query, METH_FASTCALL,
     "parse_query(text, keep_blank_values=True, arguments_max=4294967295, /)\n--\n\n"
     "Return the arguments of a query or form: names to lists of bytes. Raises HTTPInputError for too many."},
    {"parse_multipart", parse_multipart, METH_VARARGS,
     "parse_multipart(boundary, body, arguments, files, file_type, parts_max, part_header_size_max, /)\n--\n\n"
     "Fill two dicts with what a form of the type multipart/form-data says. Raises HTTPInputError."},
    {"normalize_header", normalize_header, METH_O, "normalize_header(name, /)\n--\n\nReturn a name in Http-Header-Case."},
    {"parse_range", parse_range, METH_O,
     "parse_range(field, /)\n--\n\nReturn the two numbers of a range of bytes, None for a missing one; or None."},
    {"format_date", format_date, METH_O, "format_date(seconds, /)\n--\n\nReturn a time since 1970 as HTTP writes it."},
    {0},
};

int tnpy_init_httputil(PyObject *module)
{
    if (PyModule_AddFunctions(module, functions) < 0 || tnpy_init_headers(module) < 0) return -1;
    return tnpy_init_escape(module);
}
