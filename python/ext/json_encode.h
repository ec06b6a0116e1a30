/*
 * JSON of Python's plain types, as json.dumps writes it and tornado.escape.json_encode makes it fit for a page ("</" as "<\/").
 */
#ifndef TNPY_JSON_ENCODE_H
#define TNPY_JSON_ENCODE_H

#include "base/buf.h"
#include "state.h"

/*
 * Append the JSON of `value` to `out`. Returns 1; 0 for what is left to Python's own encoder (other types than exact dict, list, tuple,
 * str, int, float, bool and None, keys that are no str, very deep nesting), and then `out` is as it was; -1 with MemoryError.
 */
int tnpy_json_encode(tn_buf *out, PyObject *value);

#endif
