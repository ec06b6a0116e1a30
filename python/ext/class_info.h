/*
 * What is known of a class of handlers: which of the methods that the engine would call does it override, and with what.
 *
 * Kept by the class itself, and good as long as the class, or any class that it inherits from, is not changed: CPython's version tag
 * of the type tells. Everything Tornado reaches through `self.` is such a hook. What an instance overrides in its own __dict__ is
 * looked for there, each time, which is free while that dict is empty.
 */
#ifndef TNPY_CLASS_INFO_H
#define TNPY_CLASS_INFO_H

#include "http/parser.h"
#include "state.h"

/* Names of methods that are ordinary identifiers here; those of verbs are in the order of tn__method. */
/* clang-format off */
#define TNPY_HOOKS(X) \
    X(get) X(head) X(post) X(put) X(patch) X(delete) X(options) X(set_default_headers) X(initialize) \
    X(prepare) X(on_finish) X(on_connection_close) X(data_received) X(write) X(finish) X(flush) X(set_header) \
    X(set_status) X(clear) X(compute_etag) X(set_etag_header) X(check_etag_header) X(check_xsrf_cookie) \
    X(decode_argument) X(_log) X(_clear_representation_headers) X(_execute) X(_handle_request_exception) \
    X(SUPPORTED_METHODS)
/* clang-format on */

typedef enum tnpy_hook {
#define TNPY_HOOK_ID(name) TNPY_HOOK_##name,
    TNPY_HOOKS(TNPY_HOOK_ID)
#undef TNPY_HOOK_ID
        TNPY_HOOK_COUNT
} tnpy_hook;

typedef struct tnpy_class {
    PyObject_HEAD
    tnpy_state *state;
    PyTypeObject *type; /* borrowed: it owns us */
    unsigned version;
    uint64_t overridden;              /* bits of tnpy_hook */
    PyObject *hooks[TNPY_HOOK_COUNT]; /* what the type has, if it may be called with `self` as its first argument; else NULL */
    bool plain;                       /* neither __new__ nor __init__ is overridden: instances are made without calling them */
    bool streams;                     /* its body is streamed */
} tnpy_class;

/* Remember the originals, when tornado.web is complete. */
int tnpy_class_remember_originals(tnpy_state *state, PyObject *request_handler);

/* Borrowed, valid as long as the type is not changed. NULL with an exception. */
tnpy_class *tnpy_class_refresh(tnpy_state *state, PyTypeObject *type);

static inline bool tnpy_class_valid(const tnpy_class *info)
{
    unsigned tag = info->type->tp_version_tag;
#if PY_VERSION_HEX < 0x030C0000
    if (!PyType_HasFeature(info->type, Py_TPFLAGS_VALID_VERSION_TAG)) return false;
#endif
    return tag != 0 && tag == info->version;
}

#endif
