/*
 * HTTPHeaders: see headers_type.h.
 *
 * `fields` is a dict of name to value in the order of first insertion. A name that was added several times stands in `repeated` as
 * well, with the list of its values; its value in `fields` is then None until somebody asks for all of them in one, which is kept
 * there until the next one is added. So adding takes constant time, reading what did not change too, and a message without repeated
 * fields, the usual one, needs one dict and nothing else.
 *
 * Names are kept in Http-Header-Case. What `add` and the parsing methods take in obeys the grammar; what is assigned may be anything,
 * as in Tornado, and is checked when it is sent.
 */
#include "headers_type.h"

#include <stddef.h>
#include <structmember.h>

#include "httputil.h"

typedef struct tnpy_headers {
    PyObject ob_base;
    PyObject *fields;   /* dict: name to value */
    PyObject *repeated; /* dict: name to list of values; NULL until there is one */
    PyObject *last;     /* the name that was added last, which a folded line belongs to; NULL: none */
    PyObject *weakrefs;
} tnpy_headers;

/* Names. */

static bool is_capitalized(const char *p, size_t n)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        char letter = (char)(p[i] | 0x20);
        if (letter >= 'a' && letter <= 'z' && (p[i] == letter) == first) return false;
        first = p[i] == '-';
    }
    return true;
}

/* ASCII in Http-Header-Case. */
static PyObject *capitalized(const char *p, size_t n)
{
    PyObject *name = PyUnicode_New((Py_ssize_t)n, 127);
    if (!name) return NULL;
    char *to = (char *)PyUnicode_1BYTE_DATA(name);
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        char letter = (char)(p[i] | 0x20);
        to[i] = letter < 'a' || letter > 'z' ? p[i] : first ? (char)(letter & ~0x20) : letter;
        first = p[i] == '-';
    }
    return name;
}

PyObject *tnpy_header_name(PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        return PyErr_Format(PyExc_TypeError, "names of header fields are str, not %s", Py_TYPE(name)->tp_name);
    }
    if (PyUnicode_READY(name) < 0) return NULL;
    /* What is not ASCII is no name of a field; it is kept as it is. */
    if (!PyUnicode_IS_ASCII(name)) return Py_NewRef(name);
    const char *p = (const char *)PyUnicode_1BYTE_DATA(name);
    size_t n = (size_t)PyUnicode_GET_LENGTH(name);
    return PyUnicode_CheckExact(name) && is_capitalized(p, n) ? Py_NewRef(name) : capitalized(p, n);
}

/* Values. */

/* The list of values of a name that was added several times; NULL without an exception when it was not. Borrowed. */
static PyObject *list_of(tnpy_headers *self, PyObject *name)
{
    return self->repeated ? PyDict_GetItemWithError(self->repeated, name) : NULL;
}

/* Forget all but one value of a name. */
static int forget_list(tnpy_headers *self, PyObject *name)
{
    if (list_of(self, name)) return PyDict_DelItem(self->repeated, name);
    return PyErr_Occurred() ? -1 : 0;
}

static int add_second(tnpy_headers *self, PyObject *name, PyObject *first, PyObject *second)
{
    if (!self->repeated) self->repeated = PyDict_New();
    PyObject *list = self->repeated ? PyList_New(2) : NULL;
    if (!list) return -1;
    PyList_SET_ITEM(list, 0, Py_NewRef(first));
    PyList_SET_ITEM(list, 1, Py_NewRef(second));
    int result = PyDict_SetItem(self->repeated, name, list);
    Py_DECREF(list);
    return result;
}

/* A value beside the one or those that the name has. */
static int add_further(tnpy_headers *self, PyObject *name, PyObject *before, PyObject *value)
{
    PyObject *list = list_of(self, name); /* borrowed */
    if (!list && PyErr_Occurred()) return -1;
    if ((list ? PyList_Append(list, value) : add_second(self, name, before, value)) < 0) return -1;
    return PyDict_SetItem(self->fields, name, Py_None);
}

/* One more value; `name` is capitalized. */
static int add_value(tnpy_headers *self, PyObject *name, PyObject *value)
{
    Py_ssize_t names = PyDict_GET_SIZE(self->fields);
    PyObject *kept = PyDict_SetDefault(self->fields, name, value); /* borrowed; one look-up is enough for a new name */
    if (!kept) return -1;
    if (PyDict_GET_SIZE(self->fields) == names && add_further(self, name, kept, value) < 0) return -1;
    Py_XSETREF(self->last, Py_NewRef(name));
    return 0;
}

/* All values of a list in one, kept for the next time. */
static PyObject *join(tnpy_headers *self, PyObject *name, PyObject *list)
{
    PyObject *comma = PyUnicode_FromString(",");
    PyObject *joined = comma ? PyUnicode_Join(comma, list) : NULL;
    Py_XDECREF(comma);
    if (joined && PyDict_SetItem(self->fields, name, joined) < 0) Py_CLEAR(joined);
    return joined;
}

/* The value, the joined one if there are several; NULL without an exception when there is none. A new reference. */
static PyObject *look_up(tnpy_headers *self, PyObject *name)
{
    PyObject *value = PyDict_GetItemWithError(self->fields, name); /* borrowed */
    if (!value) return NULL;
    if (value == Py_None) {
        PyObject *list = list_of(self, name); /* borrowed */
        if (list) return join(self, name, list);
        if (PyErr_Occurred()) return NULL;
    }
    return Py_NewRef(value);
}

/* The values of a name as a new list. */
static PyObject *values_of(tnpy_headers *self, PyObject *name)
{
    PyObject *list = list_of(self, name); /* borrowed */
    if (list) return PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
    PyObject *value = PyErr_Occurred() ? NULL : PyDict_GetItemWithError(self->fields, name); /* borrowed */
    if (PyErr_Occurred()) return NULL;
    PyObject *values = PyList_New(value ? 1 : 0);
    if (values && value) PyList_SET_ITEM(values, 0, Py_NewRef(value));
    return values;
}

/* Life. */

static tnpy_headers *allocate(PyTypeObject *type)
{
    tnpy_headers *self = (tnpy_headers *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->fields = PyDict_New();
    if (!self->fields) Py_CLEAR(self);
    return self;
}

static PyObject *headers_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return (PyObject *)allocate(type);
}

/* Copies of lists instead of the lists themselves. */
static PyObject *copy_repeated(PyObject *repeated)
{
    PyObject *copy = PyDict_New(), *name, *list; /* the latter two borrowed */
    Py_ssize_t at = 0;
    while (copy && PyDict_Next(repeated, &at, &name, &list)) {
        PyObject *values = PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
        if (!values || PyDict_SetItem(copy, name, values) < 0) Py_CLEAR(copy);
        Py_XDECREF(values);
    }
    return copy;
}

/* Make `self` hold what `other` holds. */
static int take_over(tnpy_headers *self, const tnpy_headers *other)
{
    PyObject *fields = PyDict_Copy(other->fields);
    PyObject *repeated = fields && other->repeated ? copy_repeated(other->repeated) : NULL;
    if (!fields || (other->repeated && !repeated)) {
        Py_XDECREF(fields);
        return -1;
    }
    Py_SETREF(self->fields, fields);
    Py_XSETREF(self->repeated, repeated);
    Py_CLEAR(self->last);
    return 0;
}

static int headers_ass_subscript(tnpy_headers *self, PyObject *key, PyObject *value);

/* Does assigning an item end in our own function? */
static bool assigns_here(PyObject *self)
{
    return Py_TYPE(self)->tp_as_mapping->mp_ass_subscript == (objobjargproc)headers_ass_subscript;
}

static int update_from_dict(tnpy_headers *self, PyObject *dict)
{
    PyObject *name, *value; /* borrowed */
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &name, &value))
        if (headers_ass_subscript(self, name, value) < 0) return -1;
    return 0;
}

static bool is_headers(tnpy_state *state, PyObject *object)
{
    PyObject *type = state->py.http_headers;
    return type && PyObject_TypeCheck(object, (PyTypeObject *)type);
}

/* An attribute by an interned name: Python's cache of methods keeps every other name that is asked for. */
static PyObject *attribute(PyObject *self, const char *name)
{
    PyObject *key = PyUnicode_InternFromString(name);
    PyObject *value = key ? PyObject_GetAttr(self, key) : NULL;
    Py_XDECREF(key);
    return value;
}

static int headers_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args), named = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
    if (n == 0 && named == 0) return 0;
    PyObject *first = n == 1 && named == 0 ? PyTuple_GET_ITEM(args, 0) : NULL; /* borrowed */
    if (first && is_headers(tnpy_state_of_type(Py_TYPE(self)), first))
        return take_over((tnpy_headers *)self, (tnpy_headers *)first);
    if (first && PyDict_CheckExact(first) && assigns_here(self)) return update_from_dict((tnpy_headers *)self, first);
    PyObject *update = attribute(self, "update"); /* that of collections.abc.MutableMapping, usually */
    PyObject *done = update ? PyObject_Call(update, args, kwargs) : NULL;
    Py_XDECREF(update);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int headers_traverse(tnpy_headers *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->fields);
    Py_VISIT(self->repeated);
    return 0;
}

static int headers_clear(tnpy_headers *self)
{
    Py_CLEAR(self->fields);
    Py_CLEAR(self->repeated);
    Py_CLEAR(self->last);
    return 0;
}

static void headers_dealloc(tnpy_headers *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs) PyObject_ClearWeakRefs((PyObject *)self);
    headers_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* As a mapping. */

static Py_ssize_t headers_length(tnpy_headers *self)
{
    return PyDict_GET_SIZE(self->fields);
}

static PyObject *headers_subscript(tnpy_headers *self, PyObject *key)
{
    PyObject *name = tnpy_header_name(key);
    if (!name) return NULL;
    PyObject *value = look_up(self, name);
    if (!value && !PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, name);
    Py_DECREF(name);
    return value;
}

static int headers_ass_subscript(tnpy_headers *self, PyObject *key, PyObject *value)
{
    PyObject *name = tnpy_header_name(key);
    if (!name) return -1;
    int result = value ? PyDict_SetItem(self->fields, name, value) : PyDict_DelItem(self->fields, name);
    if (result == 0) result = forget_list(self, name);
    Py_DECREF(name);
    return result;
}

static int headers_contains(tnpy_headers *self, PyObject *key)
{
    if (!PyUnicode_Check(key)) return 0;
    PyObject *name = tnpy_header_name(key);
    int result = name ? PyDict_Contains(self->fields, name) : -1;
    Py_XDECREF(name);
    return result;
}

static PyObject *headers_iter(tnpy_headers *self)
{
    return PyObject_GetIter(self->fields);
}

/* The value, if need be by a subclass's __getitem__; NULL without an exception when there is none. */
static PyObject *find(PyObject *self, PyObject *key)
{
    if (Py_TYPE(self)->tp_as_mapping->mp_subscript == (binaryfunc)headers_subscript) {
        PyObject *name = tnpy_header_name(key);
        PyObject *value = name ? look_up((tnpy_headers *)self, name) : NULL;
        Py_XDECREF(name);
        return value;
    }
    PyObject *value = PyObject_GetItem(self, key);
    if (!value && PyErr_ExceptionMatches(PyExc_KeyError)) PyErr_Clear();
    return value;
}

/* Mapping.get: the default may be named. */
static PyObject *headers_get(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    if (n < 1 || n + named > 2 || (named && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "default") != 0)) {
        PyErr_SetString(PyExc_TypeError, "get() takes a name and a default");
        return NULL;
    }
    PyObject *value = find(self, args[0]);
    if (value || PyErr_Occurred()) return value;
    return Py_NewRef(n + named == 2 ? args[1] : Py_None);
}

/* Several values of one name. */

/* The bytes of a str that has one for each character, or of bytes. False for what a header cannot hold. */
static bool text_of(PyObject *object, tn_str *out)
{
    bool wide = PyUnicode_Check(object) && (PyUnicode_READY(object) < 0 || PyUnicode_KIND(object) != PyUnicode_1BYTE_KIND);
    return !wide && tnpy_text(object, out) == 0;
}

/* Raise, with the object that cannot be. */
static int refuse(tnpy_headers *self, const char *format, PyObject *object)
{
    if (!PyErr_Occurred()) tnpy_input_error(tnpy_state_of_type(Py_TYPE(self)), format, object);
    return -1;
}

static int refuse_text(tnpy_headers *self, const char *format, tn_str text)
{
    PyObject *object = tnpy_latin1(text);
    if (object) refuse(self, format, object);
    Py_XDECREF(object);
    return -1;
}

static const char bad_name[] = "Invalid header name %R", bad_value[] = "Invalid header value %R";

/* RFC 9110, 5.5: the value of a field neither begins nor ends with a blank. */
static int check(tnpy_headers *self, tn_str name, tn_str value)
{
    if (!tn__is_token(name)) return refuse_text(self, bad_name, name);
    bool fits = tn__is_field_value(value) && tn_str_trim(value).n == value.n;
    return fits ? 0 : refuse_text(self, bad_value, value);
}

/* str, or bytes in UTF-8, as a str. A new reference. */
static PyObject *native(PyObject *object)
{
    if (PyUnicode_Check(object)) return Py_NewRef(object);
    if (PyBytes_Check(object)) return PyUnicode_FromEncodedObject(object, "utf-8", NULL);
    return PyErr_Format(PyExc_TypeError, "expected str or bytes, not %s", Py_TYPE(object)->tp_name);
}

static int add_checked(tnpy_headers *self, PyObject *name, PyObject *value)
{
    tn_str name_text, value_text;
    if (!text_of(name, &name_text)) return refuse(self, bad_name, name);
    if (!text_of(value, &value_text)) return refuse(self, bad_value, value);
    if (check(self, name_text, value_text) < 0) return -1;
    PyObject *key = tnpy_header_name(name);
    int result = key ? add_value(self, key, value) : -1;
    Py_XDECREF(key);
    return result;
}

static PyObject *headers_add(tnpy_headers *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "value", NULL};
    PyObject *name, *value; /* borrowed */
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:add", names, &name, &value)) return NULL;
    name = native(name);
    value = name ? native(value) : NULL;
    int result = value ? add_checked(self, name, value) : -1;
    Py_XDECREF(name);
    Py_XDECREF(value);
    if (result < 0) return NULL;
    Py_RETURN_NONE;
}

/* The only argument of a method, by position or by its name. Borrowed. */
static PyObject *only_argument(PyObject *const *args, Py_ssize_t n, PyObject *names, const char *expected)
{
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    bool fits = n + named == 1 && (!named || PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), expected) == 0);
    return fits ? args[0] : PyErr_Format(PyExc_TypeError, "one argument is expected: %s", expected);
}

static PyObject *headers_get_list(tnpy_headers *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    PyObject *key = only_argument(args, n, names, "name");
    if (!key) return NULL;
    PyObject *name = tnpy_header_name(key);
    PyObject *values = name ? values_of(self, name) : NULL;
    Py_XDECREF(name);
    return values;
}

static int append_pair(PyObject *pairs, PyObject *name, PyObject *value)
{
    PyObject *pair = PyTuple_Pack(2, name, value);
    int result = pair ? PyList_Append(pairs, pair) : -1;
    Py_XDECREF(pair);
    return result;
}

static int append_pairs(tnpy_headers *self, PyObject *pairs, PyObject *name, PyObject *value)
{
    PyObject *list = list_of(self, name); /* borrowed */
    if (!list) return PyErr_Occurred() ? -1 : append_pair(pairs, name, value);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (append_pair(pairs, name, PyList_GET_ITEM(list, i)) < 0) return -1;
    return 0;
}

/* Every name with every one of its values. */
static PyObject *all_pairs(tnpy_headers *self)
{
    PyObject *pairs = PyList_New(0), *name, *value; /* the latter two borrowed */
    Py_ssize_t at = 0;
    while (pairs && PyDict_Next(self->fields, &at, &name, &value))
        if (append_pairs(self, pairs, name, value) < 0) Py_CLEAR(pairs);
    return pairs;
}

static PyObject *headers_get_all(tnpy_headers *self, PyObject *unused)
{
    PyObject *pairs = all_pairs(self);
    PyObject *iterator = pairs ? PyObject_GetIter(pairs) : NULL;
    Py_XDECREF(pairs);
    return iterator;
}

/* Lines. */

static int fail(tnpy_headers *self, const char *text)
{
    tnpy_input_error(tnpy_state_of_type(Py_TYPE(self)), "%s", text);
    return -1;
}

/* The value that was added last: where it is kept, and a reference to it. */
static PyObject *last_value(tnpy_headers *self, PyObject **list)
{
    *list = self->last ? list_of(self, self->last) : NULL; /* borrowed */
    if (*list) return Py_NewRef(PyList_GET_ITEM(*list, PyList_GET_SIZE(*list) - 1));
    PyObject *value = self->last ? PyDict_GetItemWithError(self->fields, self->last) : NULL; /* borrowed */
    return Py_XNewRef(value);
}

/*
 * RFC 9112, 5.2: a line that begins with a blank continues the one before it. None stands in for the value while it grows, so that
 * there is no other reference to it and Python can make it longer in place: many short lines take linear time.
 */
static int continue_last(tnpy_headers *self, PyObject *piece)
{
    PyObject *list, *value = last_value(self, &list), *name = self->last;
    if (!value) return PyErr_Occurred() ? -1 : fail(self, "first header line cannot start with whitespace");
    if (list) PyList_SetItem(list, PyList_GET_SIZE(list) - 1, Py_NewRef(Py_None));
    if (PyDict_SetItem(self->fields, name, Py_None) < 0) {
        Py_DECREF(value);
        return -1;
    }
    PyUnicode_Append(&value, piece);
    if (!value) return -1;
    if (list) return PyList_SetItem(list, PyList_GET_SIZE(list) - 1, value);
    int result = PyDict_SetItem(self->fields, name, value);
    Py_DECREF(value);
    return result;
}

static int take_fold(tnpy_headers *self, tn_str text)
{
    if (!tn__is_field_value(text)) return refuse_text(self, bad_value, text);
    PyObject *value = tnpy_latin1(text);
    PyObject *piece = value ? PyUnicode_FromFormat(text.n ? " %U" : "%U", value) : NULL;
    int result = piece ? continue_last(self, piece) : -1;
    Py_XDECREF(value);
    Py_XDECREF(piece);
    return result;
}

/* Names are ASCII, as is every token. */
static int add_text(tnpy_headers *self, tn_str name, tn_str value)
{
    PyObject *key = capitalized(name.p, name.n), *object = key ? tnpy_latin1(value) : NULL;
    int result = object ? add_value(self, key, object) : -1;
    Py_XDECREF(key);
    Py_XDECREF(object);
    return result;
}

/* One line, with or without its end. */
static int take_line(tnpy_headers *self, tn_str line)
{
    if (tn_str_ends(line, TN_S("\n"))) line.n -= tn_str_ends(line, TN_S("\r\n")) ? 2 : 1;
    if (line.n == 0) return 0;
    if (*line.p == ' ' || *line.p == '\t') return take_fold(self, tn_str_trim(line));
    const char *colon = memchr(line.p, ':', line.n);
    if (!colon) return fail(self, "no colon in header line");
    tn_str name = {line.p, (size_t)(colon - line.p)}, value = {colon + 1, line.n - name.n - 1};
    value = tn_str_trim(value);
    return check(self, name, value) < 0 ? -1 : add_text(self, name, value);
}

/* The bytes of text to be parsed. */
static int parsable(tnpy_headers *self, PyObject *object, tn_str *text)
{
    return text_of(object, text) ? 0 : refuse(self, bad_value, object);
}

static PyObject *headers_parse_line(tnpy_headers *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    PyObject *line = only_argument(args, n, names, "line");
    tn_str text;
    if (!line || parsable(self, line, &text) < 0 || take_line(self, text) < 0) return NULL;
    Py_RETURN_NONE;
}

static int take_lines(tnpy_headers *self, tn_str text)
{
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) + 1 : text.n;
        if (take_line(self, tn_str_of(text.p, n)) < 0) return -1;
        text = tn_str_of(text.p + n, text.n - n);
    }
    return 0;
}

static PyObject *headers_parse(PyObject *type, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    PyObject *headers = only_argument(args, n, names, "headers");
    PyObject *self = headers ? PyObject_CallNoArgs(type) : NULL;
    tn_str text;
    if (self && (parsable((tnpy_headers *)self, headers, &text) < 0 || take_lines((tnpy_headers *)self, text) < 0)) Py_CLEAR(self);
    return self;
}

PyObject *tnpy_headers_from_fields(tnpy_state *state, const char *base, const tn__field *fields, uint32_t n)
{
    tnpy_headers *self = allocate((PyTypeObject *)state->py.http_headers);
    for (uint32_t i = 0; self && i < n; i++) {
        tn_str name = {base + fields[i].name.at, fields[i].name.n}, value = {base + fields[i].value.at, fields[i].value.n};
        if (add_text(self, name, value) < 0) Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* Copies, text and pickles. */

static PyObject *headers_copy(tnpy_headers *self, PyObject *unused)
{
    tnpy_headers *copy = allocate(Py_TYPE(self));
    if (copy && take_over(copy, self) < 0) Py_CLEAR(copy);
    return (PyObject *)copy;
}

static PyObject *headers_str(tnpy_headers *self)
{
    PyObject *lines = all_pairs(self);
    for (Py_ssize_t i = 0; lines && i < PyList_GET_SIZE(lines); i++) {
        PyObject *pair = PyList_GET_ITEM(lines, i); /* borrowed */
        PyObject *line = PyUnicode_FromFormat("%U: %S\n", PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
        if (!line || PyList_SetItem(lines, i, line) < 0) Py_CLEAR(lines);
    }
    PyObject *empty = lines ? PyUnicode_FromString("") : NULL;
    PyObject *text = empty ? PyUnicode_Join(empty, lines) : NULL;
    Py_XDECREF(empty);
    Py_XDECREF(lines);
    return text;
}

/* (type, (), (pairs, attributes)) */
static PyObject *headers_reduce(PyObject *self, PyObject *unused)
{
    PyObject *pairs = all_pairs((tnpy_headers *)self);
    if (!pairs) return NULL;
    PyObject *attributes = attribute(self, "__dict__"); /* subclasses may have one */
    if (!attributes) PyErr_Clear();
    return Py_BuildValue("O()(NN)", Py_TYPE(self), pairs, attributes ? attributes : Py_NewRef(Py_None));
}

static int restore_attributes(PyObject *self, PyObject *attributes)
{
    if (attributes == Py_None) return 0;
    PyObject *dict = attribute(self, "__dict__");
    int result = dict ? PyDict_Update(dict, attributes) : -1;
    Py_XDECREF(dict);
    return result;
}

static PyObject *headers_setstate(PyObject *self, PyObject *state)
{
    PyObject *pairs, *attributes; /* borrowed */
    if (!PyTuple_Check(state)) return PyErr_Format(PyExc_TypeError, "a tuple is expected");
    if (!PyArg_ParseTuple(state, "O!O", &PyList_Type, &pairs, &attributes)) return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs); i++) {
        PyObject *pair = PyList_GET_ITEM(pairs, i), *name, *value; /* borrowed */
        if (!PyTuple_Check(pair) || !PyArg_ParseTuple(pair, "UO", &name, &value)) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "pairs are expected");
            return NULL;
        }
        if (add_value((tnpy_headers *)self, name, value) < 0) return NULL;
    }
    if (restore_attributes(self, attributes) < 0) return NULL;
    Py_RETURN_NONE;
}

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

static PyMethodDef headers_methods[] = {
    {"add", (PyCFunction)(void (*)(void))headers_add, METH_VARARGS | METH_KEYWORDS,
     "add($self, name, value)\n--\n\nAdd a value for the given name, besides those that it has."},
    {"get_list", FAST(headers_get_list), "get_list($self, name)\n--\n\nReturn all values of a name as a list."},
    {"get_all", (PyCFunction)headers_get_all, METH_NOARGS,
     "get_all($self)\n--\n\nIterate over (name, value) pairs; a name with several values comes several times."},
    {"get", FAST(headers_get),
     "get($self, name, default=None)\n--\n\nReturn the value of a name, several ones joined by commas; or the default."},
    {"parse_line", FAST(headers_parse_line),
     "parse_line($self, line)\n--\n\nAdd what one line of a head says. A line that begins with a blank continues the one before."},
    {"parse", FAST(headers_parse) | METH_CLASS,
     "parse($type, headers)\n--\n\nReturn the headers of a text of several lines, which end with CRLF or LF."},
    {"copy", (PyCFunction)headers_copy, METH_NOARGS, "copy($self)\n--\n\nReturn a copy that shares nothing with the original."},
    {"__copy__", (PyCFunction)headers_copy, METH_NOARGS, NULL},
    {"__reduce__", headers_reduce, METH_NOARGS, NULL},
    {"__setstate__", headers_setstate, METH_O, NULL},
    {0},
};

static PyMemberDef headers_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(tnpy_headers, weakrefs), READONLY, NULL},
    {0},
};

static PyType_Slot headers_slots[] = {
    {Py_tp_doc, "The fields of an HTTP message."},
    {Py_tp_new, headers_new},
    {Py_tp_init, headers_init},
    {Py_tp_traverse, headers_traverse},
    {Py_tp_clear, headers_clear},
    {Py_tp_dealloc, headers_dealloc},
    {Py_tp_iter, headers_iter},
    {Py_tp_str, headers_str},
    {Py_tp_methods, headers_methods},
    {Py_tp_members, headers_members},
    {Py_mp_length, headers_length},
    {Py_mp_subscript, headers_subscript},
    {Py_mp_ass_subscript, headers_ass_subscript},
    {Py_sq_contains, headers_contains},
    {0, NULL},
};

static PyType_Spec headers_spec = {
    .name = "tornado._engine.HTTPHeaders",
    .basicsize = sizeof(tnpy_headers),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = headers_slots,
};

int tnpy_init_headers(PyObject *module)
{
    return tnpy_add_type(module, &headers_spec, NULL);
}
