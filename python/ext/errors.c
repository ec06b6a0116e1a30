/* Codes of the engine become exceptions here and nowhere else. */
#include "state.h"

PyObject *tnpy_raise(int code)
{
    switch (code) {
    case TN_ENOMEM: return PyErr_NoMemory();
    case TN_EINVAL:
    case TN_ESYNTAX: PyErr_SetString(PyExc_ValueError, tn_strerror(code)); return NULL;
    case TN_EMISUSE:
    case TN_ECRYPTO: PyErr_SetString(PyExc_RuntimeError, tn_strerror(code)); return NULL;
    default: break;
    }
    if (code > -4000) {
        errno = -code;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyErr_SetString(PyExc_OSError, tn_strerror(code));
    return NULL;
}
