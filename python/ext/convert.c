/* Text and bytes, from the engine's slices and back. */
#include "state.h"

PyObject *tnpy_latin1(tn_str s)
{
    return PyUnicode_DecodeLatin1(s.p, (Py_ssize_t)s.n, NULL);
}

PyObject *tnpy_bytes(tn_str s)
{
    return PyBytes_FromStringAndSize(s.p, (Py_ssize_t)s.n);
}

int tnpy_text(PyObject *object, tn_str *out)
{
    if (PyUnicode_Check(object)) {
        if (PyUnicode_READY(object) < 0) return -1;
        if (PyUnicode_KIND(object) != PyUnicode_1BYTE_KIND) {
            PyObject *encoded = PyUnicode_AsLatin1String(object); /* for its exception, which names the character */
            Py_XDECREF(encoded);
            return -1;
        }
        *out = tn_str_of(PyUnicode_1BYTE_DATA(object), (size_t)PyUnicode_GET_LENGTH(object));
        return 0;
    }
    if (PyBytes_Check(object)) {
        *out = tn_str_of(PyBytes_AS_STRING(object), (size_t)PyBytes_GET_SIZE(object));
        return 0;
    }
    return 1;
}
