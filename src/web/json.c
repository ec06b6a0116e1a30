/* JSON in and out, over jansson. */
#include <jansson.h>

#include "base/alloc.h"
#include "req.h"

/* Append a piece of encoded JSON with "</" written as "<\/"; a piece may begin where the one before ended in '<'. */
static int append(const char *piece, size_t n, void *arg)
{
    tn_buf *out = arg;
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        bool after_less = i > 0 ? piece[i - 1] == '<' : out->n > 0 && out->p[out->n - 1] == '<';
        if (piece[i] != '/' || !after_less) continue;
        if (tn__buf_add(out, piece + from, i - from) < 0 || tn__buf_add_char(out, '\\') < 0) return -1;
        from = i;
    }
    return tn__buf_add(out, piece + from, n - from) < 0 ? -1 : 0;
}

int tn_write_json(tn_req *r, json_t *value)
{
    if (!value) return TN_EJSON;
    tn_buf text = {0};
    int e = json_dump_callback(value, append, &text, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) == 0 ? TN_OK : TN_ENOMEM;
    json_decref(value);
    if (e == TN_OK) e = tn_set_header(r, "Content-Type", "application/json; charset=UTF-8");
    if (e == TN_OK) e = tn_write(r, tn__buf_str(&text));
    tn__buf_done(&text);
    return e;
}

int tn_body_json(tn_req *r, json_t **out)
{
    if (!r->json) {
        json_error_t why;
        tn_str body = tn_req_body(r);
        r->json = json_loadb(body.p ? body.p : "", body.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
        if (!r->json) return tn_raise(r, 400, "Invalid JSON in body: %s", why.text);
    }
    *out = r->json;
    return TN_OK;
}
