/*
 * Header fields that we send. Every name and value is checked on its way in, so what is written out needs no second look.
 *
 * Names are found by comparing them in turn: a response has a dozen fields at most, and the length differs nearly always.
 */
#include "headers.h"

#include "parser.h"
#include "tornado/error.h"

enum { CAP_MIN = 8, PUNCTUATION = 4 /* ": " and CRLF */ };

static bool is_named(const tn__header *header, tn_str name)
{
    return header->name.n == name.n && tn_str_caseeq(header->name, name);
}

static size_t wire_bytes(const tn__header *header)
{
    return header->name.n + header->value.n + PUNCTUATION;
}

/* RFC 9110, 5.5: a field value neither begins nor ends with a blank. */
static bool is_valid(tn_str name, tn_str value)
{
    return tn__is_token(name) && tn__is_field_value(value) && tn_str_trim(value).n == value.n;
}

/* Room for one more. The array that was too small stays in the arena. */
static int make_room(tn__headers *h, tn__arena *a)
{
    if (h->n < h->cap) return TN_OK;
    if (h->cap > UINT32_MAX / 2) return TN_ENOMEM;
    uint32_t cap = h->cap ? h->cap * 2 : CAP_MIN;
    tn__header *items = tn__arena_alloc(a, cap * sizeof *items);
    if (!items) return TN_ENOMEM;
    if (h->n) memcpy(items, h->items, h->n * sizeof *items);
    h->items = items;
    h->cap = cap;
    return TN_OK;
}

static int copy_header(tn__arena *a, tn_str name, tn_str value, tn__header *out)
{
    if (!is_valid(name, value)) return TN_EINVAL;
    tn__header copy = {tn__arena_copy(a, name.p, name.n), tn__arena_copy(a, value.p, value.n)};
    if (!copy.name.p || !copy.value.p) return TN_ENOMEM;
    *out = copy;
    return TN_OK;
}

int tn__headers_add(tn__headers *h, tn__arena *a, tn_str name, tn_str value)
{
    tn__header header;
    TN_TRY(copy_header(a, name, value, &header));
    TN_TRY(make_room(h, a));
    h->items[h->n++] = header;
    h->bytes += wire_bytes(&header);
    return TN_OK;
}

/* Take out every field of that name from index `from` on; the others keep their order. */
static void remove_from(tn__headers *h, uint32_t from, tn_str name)
{
    uint32_t kept = from;
    for (uint32_t i = from; i < h->n; i++) {
        if (is_named(&h->items[i], name))
            h->bytes -= wire_bytes(&h->items[i]);
        else
            h->items[kept++] = h->items[i];
    }
    h->n = kept;
}

static uint32_t find(const tn__headers *h, tn_str name)
{
    uint32_t i = 0;
    while (i < h->n && !is_named(&h->items[i], name)) i++;
    return i;
}

int tn__headers_set(tn__headers *h, tn__arena *a, tn_str name, tn_str value)
{
    uint32_t i = find(h, name);
    if (i == h->n) return tn__headers_add(h, a, name, value);
    tn__header header;
    TN_TRY(copy_header(a, name, value, &header));
    h->bytes += wire_bytes(&header) - wire_bytes(&h->items[i]);
    h->items[i] = header;
    remove_from(h, i + 1, header.name);
    return TN_OK;
}

void tn__headers_remove(tn__headers *h, tn_str name)
{
    remove_from(h, find(h, name), name);
}

tn_str tn__headers_get(const tn__headers *h, tn_str name)
{
    uint32_t i = find(h, name);
    return i < h->n ? h->items[i].value : tn_str_of(NULL, 0);
}

static char *put(char *out, tn_str s)
{
    memcpy(out, s.p, s.n);
    return out + s.n;
}

char *tn__headers_write(const tn__headers *h, char *out)
{
    for (uint32_t i = 0; i < h->n; i++) {
        out = put(out, h->items[i].name);
        out = put(out, TN_S(": "));
        out = put(out, h->items[i].value);
        out = put(out, TN_S("\r\n"));
    }
    return out;
}
