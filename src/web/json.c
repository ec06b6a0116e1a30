/* JSON in and out, over jansson. */
#include <jansson.h>

#include "base/alloc.h"
#include "req.h"

/* jansson goes down one call a level, in 85 bytes of stack to read and 311 to write: this much is left of any coroutine's stack. */
enum { DEPTH_MAX = 256 };

/* JSON that is being written. */
typedef struct writing {
    tn_buf text;
    int error;
} writing;

/* Append a piece of encoded JSON with "</" written as "<\/"; a piece may begin where the one before ended in '<'. */
static int append(const char *piece, size_t n, void *arg)
{
    writing *w = arg;
    tn_buf *out = &w->text;
    size_t from = 0;
    for (size_t i = 0; i < n && w->error == TN_OK; i++) {
        bool after_less = i > 0 ? piece[i - 1] == '<' : out->n > 0 && out->p[out->n - 1] == '<';
        if (piece[i] != '/' || !after_less) continue;
        w->error = tn__buf_add(out, piece + from, i - from);
        if (w->error == TN_OK) w->error = tn__buf_add_char(out, '\\');
        from = i;
    }
    if (w->error == TN_OK) w->error = tn__buf_add(out, piece + from, n - from);
    return w->error;
}

int tn_write_json(tn_req *r, json_t *value)
{
    if (!value) return TN_EJSON;
    writing w = {0};
    bool written = json_dump_callback(value, append, &w, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) == 0;
    int e = written ? TN_OK : w.error < 0 ? w.error : TN_EJSON;
    json_decref(value);
    if (e == TN_OK) e = tn_set_header(r, "Content-Type", "application/json; charset=UTF-8");
    if (e == TN_OK) e = tn_write(r, tn__buf_str(&w.text));
    tn__buf_done(&w.text);
    return e;
}

static bool too_deep(tn_str text)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            i += c == '\\';
        else if ((c == '[' || c == '{') && ++depth > DEPTH_MAX)
            return true;
        else if (c == ']' || c == '}')
            depth--;
    }
    return false;
}

int tn_body_json(tn_req *r, json_t **out)
{
    if (!r->json) {
        json_error_t why = {0};
        tn_str body = tn_req_body(r);
        if (too_deep(body)) return tn_raise(r, 400, "Invalid JSON in body: nested too deeply");
        r->json = json_loadb(body.p ? body.p : "", body.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
        /* Lack of memory has a code of its own, or no text at all. */
        if (!r->json && (json_error_code(&why) == json_error_out_of_memory || !why.text[0])) return TN_ENOMEM;
        if (!r->json) return tn_raise(r, 400, "Invalid JSON in body: %s", why.text);
    }
    *out = r->json;
    return TN_OK;
}
