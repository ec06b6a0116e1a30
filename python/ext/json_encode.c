/*
 * JSON of Python's plain types. Used by write(dict) as long as nobody has replaced json_encode or json.dumps: what json.dumps costs for
 * a small dict is twice what all the rest of a request does. No Python code runs in here, so nothing changes under our hands.
 */
#include "json_encode.h"

#include <math.h>
#include <stdio.h>

enum { DEPTH_MAX = 100, NOT_OURS = 0, DONE = 1 };

static int add(tn_buf *out, tn_str s)
{
    if (tn__buf_add(out, s.p, s.n) == TN_OK) return DONE;
    PyErr_NoMemory();
    return -1;
}

static char *put_unicode(char *p, unsigned code)
{
    static const char digits[] = "0123456789abcdef";
    *p++ = '\\';
    *p++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) *p++ = digits[code >> shift & 15];
    return p;
}

/* A character that does not stand for itself. */
static char *put_escaped(char *p, Py_UCS4 c)
{
    static const char named[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
    const char *found = c && c < 0x80 ? strchr(named, (int)c) : NULL;
    if (found) {
        *p++ = '\\';
        *p++ = letters[found - named];
        return p;
    }
    if (c < 0x10000) return put_unicode(p, c);
    p = put_unicode(p, 0xd800 + ((c - 0x10000) >> 10));
    return put_unicode(p, 0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* Only ASCII is written. A slash behind '<' is escaped, so that no page's script ends here. */
static int encode_str(tn_buf *out, PyObject *text)
{
    enum { LONGEST = 12 }; /* two surrogates */
    if (PyUnicode_READY(text) < 0) return -1;
    size_t n = (size_t)PyUnicode_GET_LENGTH(text);
    if (n > PY_SSIZE_T_MAX / LONGEST - 2 || tn__buf_reserve(out, n * LONGEST + 2) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    char *p = out->p + out->n;
    Py_UCS4 before = 0;
    *p++ = '"';
    for (size_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, (Py_ssize_t)i);
        if (c == '/' && before == '<') *p++ = '\\';
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
            *p++ = (char)c;
        else
            p = put_escaped(p, c);
        before = c;
    }
    *p++ = '"';
    out->n = (size_t)(p - out->p);
    return DONE;
}

static int encode_int(tn_buf *out, PyObject *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow) return NOT_OURS;
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", number);
    return add(out, tn_str_of(text, (size_t)n));
}

static int encode_float(tn_buf *out, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);
    if (!isfinite(number)) return NOT_OURS;
    char *text = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (!text) return -1;
    int e = add(out, tn_z(text));
    PyMem_Free(text);
    return e;
}

static int encode(tn_buf *out, PyObject *value, int depth);

static int encode_dict(tn_buf *out, PyObject *dict, int depth)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    int e = add(out, TN_S("{"));
    for (bool first = true; e == DONE && PyDict_Next(dict, &at, &key, &value); first = false) { /* borrowed */
        if (!PyUnicode_CheckExact(key)) return NOT_OURS;
        if (!first) e = add(out, TN_S(", "));
        if (e == DONE) e = encode_str(out, key);
        if (e == DONE) e = add(out, TN_S(": "));
        if (e == DONE) e = encode(out, value, depth + 1);
    }
    return e == DONE ? add(out, TN_S("}")) : e;
}

static int encode_sequence(tn_buf *out, PyObject *sequence, int depth)
{
    int e = add(out, TN_S("["));
    for (Py_ssize_t i = 0; e == DONE && i < PySequence_Fast_GET_SIZE(sequence); i++) {
        if (i > 0) e = add(out, TN_S(", "));
        if (e == DONE) e = encode(out, PySequence_Fast_GET_ITEM(sequence, i), depth + 1);
    }
    return e == DONE ? add(out, TN_S("]")) : e;
}

static int encode(tn_buf *out, PyObject *value, int depth)
{
    if (depth > DEPTH_MAX) return NOT_OURS; /* perhaps it contains itself, which json.dumps says better */
    if (PyUnicode_CheckExact(value)) return encode_str(out, value);
    if (value == Py_None) return add(out, TN_S("null"));
    if (PyBool_Check(value)) return add(out, value == Py_True ? TN_S("true") : TN_S("false"));
    if (PyLong_CheckExact(value)) return encode_int(out, value);
    if (PyFloat_CheckExact(value)) return encode_float(out, value);
    if (PyDict_CheckExact(value)) return encode_dict(out, value, depth);
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) return encode_sequence(out, value, depth);
    return NOT_OURS;
}

int tnpy_json_encode(tn_buf *out, PyObject *value)
{
    size_t before = out->n;
    int e = encode(out, value, 0);
    if (e != DONE) out->n = before;
    return e;
}
