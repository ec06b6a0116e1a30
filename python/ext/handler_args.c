/*
 * Arguments: get_argument and its kin, by far the most frequent thing that handlers do with a request.
 *
 * An argument passes through decode_argument if a subclass has its own; control characters become blanks; blanks around are stripped.
 */
#include "handler_type.h"

/* No control characters but tabs and line ends: they do harm in logs and in XML. */
static bool is_harmful(unsigned char c)
{
    return c < 0x20 && (c < 0x09 || c > 0x0d);
}

static PyObject *decode(tnpy_handler *h, PyObject *value, PyObject *name)
{
    int own = tnpy_overrides(h, TNPY_HOOK_decode_argument);
    if (own < 0) return NULL;
    if (!own && PyBytes_Check(value)) {
        PyObject *text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), NULL);
        if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return text;
        PyErr_Clear(); /* the method says it better */
    }
    PyObject *args[] = {NULL, value, name};
    return tnpy_call_hook(h, TNPY_HOOK_decode_argument, args, 2);
}

/* Takes the reference. Text of one byte a character is looked through here; anything else is left to a method. */
static PyObject *clean(tnpy_handler *h, PyObject *text, bool strip)
{
    tn_str s;
    if (!text || !PyUnicode_Check(text)) return text;
    bool narrow = PyUnicode_IS_ASCII(text) && tnpy_text(text, &s) == 0, clean = narrow;
    for (size_t i = 0; clean && i < s.n; i++) clean = !is_harmful((unsigned char)s.p[i]);
    bool blank = narrow && s.n > 0 && ((unsigned char)s.p[0] <= ' ' || (unsigned char)s.p[s.n - 1] <= ' ');
    if (clean && !(strip && blank)) return text;
    PyObject *cleaned = PyObject_CallMethodObjArgs((PyObject *)h, tnpy_handler_state(h)->str._clean_argument, text,
                                                   strip ? Py_True : Py_False, NULL);
    Py_DECREF(text);
    return cleaned;
}

/* The list of values of an argument in a dict of them; borrowed. NULL when there is none, or with an exception. */
static PyObject *values_of(PyObject *source, PyObject *name)
{
    if (PyDict_Check(source)) return PyDict_GetItemWithError(source, name);
    PyErr_SetString(PyExc_TypeError, "arguments are kept in a dict");
    return NULL;
}

PyObject *tnpy_handler_m_get_arguments_of(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 3) return PyErr_Format(PyExc_TypeError, "_get_arguments() takes a name, the arguments, and whether to strip");
    tnpy_handler *h = (tnpy_handler *)self;
    PyObject *values = values_of(args[1], args[0]), *result = PyErr_Occurred() ? NULL : PyList_New(0);
    int strip = PyObject_IsTrue(args[2]);
    for (Py_ssize_t i = 0; result && values && i < PyList_GET_SIZE(values); i++) {
        PyObject *text = clean(h, decode(h, PyList_GET_ITEM(values, i), args[0]), strip);
        if (!text || PyList_Append(result, text) < 0) Py_CLEAR(result);
        Py_XDECREF(text);
    }
    return result;
}

/* All values are decoded, as Tornado does, so that a bad one among them is noticed; the last one counts. */
PyObject *tnpy_handler_m_get_argument_of(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 4)
        return PyErr_Format(PyExc_TypeError, "_get_argument() takes a name, a default, the arguments, and whether to strip");
    tnpy_handler *h = (tnpy_handler *)self;
    PyObject *name = args[0], *standard = args[1], *values = values_of(args[2], name), *last = NULL;
    int strip = PyObject_IsTrue(args[3]);
    if (PyErr_Occurred()) return NULL;
    for (Py_ssize_t i = 0; values && i < PyList_GET_SIZE(values); i++) {
        Py_XSETREF(last, clean(h, decode(h, PyList_GET_ITEM(values, i), name), strip));
        if (!last) return NULL;
    }
    if (last) return last;
    const tnpy_state *state = tnpy_handler_state(h);
    if (standard != state->py.no_default) return Py_NewRef(standard);
    PyObject *error = PyObject_CallOneArg(state->py.missing_argument_error, name);
    if (error) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return NULL;
}
