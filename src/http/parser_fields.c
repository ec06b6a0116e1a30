/*
 * Field lines of a head, RFC 9112 section 5, and the fields that frame a message, section 6.
 *
 * Called by the request parser and the response parser behind the first line. The walk goes from left to right and judges each byte
 * by what stands before it only, so a head is refused at the same place and for the same reason however it was sliced. Names of the
 * framing fields are recognised by their length first; most fields cost no comparison at all.
 */
#include "http/parser_fields.h"
#include "http/scan.h"

const char *tn__walk_more(tn__walk *w)
{
    w->outcome = TN__HEAD_MORE;
    return NULL;
}

const char *tn__walk_refuse(tn__walk *w, int status, const char *reason)
{
    w->outcome = TN__HEAD_REFUSED;
    w->status = status;
    w->reason = reason;
    return NULL;
}

const char *tn__walk_odd_line_end(tn__walk *w, const char *p)
{
    if (p == w->end) return tn__walk_more(w);
    if (*p == '\r') return w->end - p < 2 ? tn__walk_more(w) : tn__walk_refuse(w, 400, "bare CR");
    if (*p != '\n') return tn__walk_refuse(w, 400, "control character in a header line");
    /* RFC 9112, 2.2 lets a recipient take a lone LF for a line end; not all on the way do, and that is how requests are smuggled. */
    return w->dialect->bare_lf ? p + 1 : tn__walk_refuse(w, 400, "bare LF");
}

/* Space or tab. Nearly always asked about a byte that is neither, which the first comparison settles. */
static inline bool is_blank(char c)
{
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\t');
}

static inline uint64_t load8(const char *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

static inline uint32_t load4(const char *p)
{
    uint32_t word;
    memcpy(&word, p, 4);
    return word;
}

/*
 * Are the n bytes at p the word `lower`, case apart? From 4 to 24 bytes; `lower` is of lower-case letters, digits and '-'. Among the
 * bytes that values are made of, setting bit 5 makes letters lower-case and nothing else equal to one of these: what would become a
 * digit or '-' is a control.
 */
static inline bool same_word(const char *p, const char *lower, size_t n)
{
    const uint64_t bits = 0x2020202020202020;
    if (n < 8) return (load4(p) | (uint32_t)bits) == load4(lower) && (load4(p + n - 4) | (uint32_t)bits) == load4(lower + n - 4);
    bool same = (load8(p) | bits) == load8(lower) && (load8(p + n - 8) | bits) == load8(lower + n - 8);
    return n <= 16 ? same : same && (load8(p + 8) | bits) == load8(lower + 8);
}

#define IS(text, lower) ((text).n == sizeof(lower) - 1 && same_word((text).p, "" lower, sizeof(lower) - 1))

/* Take the next element off a comma-separated list; false behind the last one. An empty list has one empty element. */
static inline bool next_element(const char **p, const char *end, tn_str *element)
{
    const char *first = *p;
    if (!first) return false;
    const char *comma = memchr(first, ',', (size_t)(end - first)), *last = comma ? comma : end;
    *p = comma ? comma + 1 : NULL;
    while (first < last && is_blank(*first)) first++;
    while (first < last && is_blank(last[-1])) last--;
    *element = tn_str_of(first, (size_t)(last - first));
    return true;
}

static void take_connection(tn__framing *f, tn_str value)
{
    tn_str option;
    for (const char *p = value.p; next_element(&p, value.p + value.n, &option);) {
        if (IS(option, "keep-alive")) f->keep_alive = true;
        if (IS(option, "close")) f->close = true;
        if (IS(option, "upgrade")) f->upgrade = true;
    }
}

static bool take_one_length(tn__walk *w, tn__framing *f, tn_str digits)
{
    int64_t length = 0;
    if (digits.n == 0) return tn__walk_refuse(w, 400, "Only integer Content-Length is allowed");
    for (size_t i = 0; i < digits.n; i++) {
        int digit = digits.p[i] - '0';
        if (digit < 0 || digit > 9) return tn__walk_refuse(w, 400, "Only integer Content-Length is allowed");
        if (length > (INT64_MAX - digit) / 10) return tn__walk_refuse(w, 400, "Content-Length too long");
        length = length * 10 + digit;
    }
    if (f->content_length >= 0) {
        if (f->content_length != length) return tn__walk_refuse(w, 400, "Multiple unequal Content-Lengths");
        if (!w->dialect->equal_lengths) return tn__walk_refuse(w, 400, "Multiple Content-Lengths");
    }
    f->content_length = length;
    return true;
}

static bool take_content_length(tn__walk *w, tn__framing *f, tn_str value)
{
    if (!w->dialect->equal_lengths) return take_one_length(w, f, value);
    tn_str element;
    for (const char *p = value.p; next_element(&p, value.p + value.n, &element);) {
        if (!take_one_length(w, f, element)) return false;
    }
    return true;
}

/* A list over several fields is one list, RFC 9110 section 5.3. Parameters make a coding one that we do not know. */
static void take_transfer_encoding(tn__codings *c, tn_str value)
{
    tn_str coding;
    c->any = true;
    for (const char *p = value.p; next_element(&p, value.p + value.n, &coding);) {
        c->chunked_last = IS(coding, "chunked");
        if (c->chunked_last)
            c->chunked++;
        else if (coding.n == 0 || !tn__byte_is(coding.p[0], TN__BYTE_TOKEN))
            c->malformed = true;
        else
            c->other = true;
    }
}

bool tn__walk_judge_codings(tn__walk *w, tn__facts *facts, bool http10)
{
    const tn__codings *c = &facts->codings;
    if (!c->any) return true;
    if (facts->framing.content_length >= 0)
        return tn__walk_refuse(w, 400, "Message with both Transfer-Encoding and Content-Length");
    /* RFC 9112, 6.1: HTTP/1.0 has no such field, and what stands before the sender may not know it either. */
    if (http10 && !w->dialect->chunked_1_0) return tn__walk_refuse(w, 400, "Transfer-Encoding in an HTTP/1.0 message");
    if (c->malformed || !c->chunked_last || c->chunked > 1) return tn__walk_refuse(w, 400, "Unsupported Transfer-Encoding");
    if (c->other) return tn__walk_refuse(w, 501, "Unsupported Transfer-Encoding");
    facts->framing.chunked = true;
    return true;
}

/* Look whether this field says something about the message. The length of its name excludes nearly all. */
static inline bool take_field(tn__walk *w, tn__facts *facts, tn_str name, const tn__field *field)
{
    tn_str value = {w->head + field->value.at, field->value.n};
    switch (name.n) {
    case 4:
        if (!IS(name, "host")) break;
        facts->host = field->value;
        facts->hosts++;
        break;
    case 6:
        if (!IS(name, "expect")) break;
        facts->expect = true;
        if (!IS(value, "100-continue")) facts->expect_other = true;
        break;
    case 10:
        if (IS(name, "connection")) take_connection(&facts->framing, value);
        break;
    case 14:
        if (IS(name, "content-length")) return take_content_length(w, &facts->framing, value);
        break;
    case 17:
        if (IS(name, "transfer-encoding")) take_transfer_encoding(&facts->codings, value);
        break;
    }
    return true;
}

static const char *refuse_name(tn__walk *w, const char *first, const char *stop)
{
    if (stop == w->end) return tn__walk_more(w);
    if (stop == first && is_blank(*stop)) return tn__walk_refuse(w, 400, "folded header line");
    if (*stop == '\r' || *stop == '\n') return tn__walk_refuse(w, 400, "no colon in header line");
    if (stop == first && *stop == ':') return tn__walk_refuse(w, 400, "empty header name");
    if (is_blank(*stop)) return tn__walk_refuse(w, 400, "blank in a header name or before its colon");
    return tn__walk_refuse(w, 400, "invalid character in a header name");
}

/* The rest of a line as a value, without the blanks around it. */
static inline const char *walk_value(tn__walk *w, const char *p, tn__slice *value)
{
    while (p < w->end && is_blank(*p)) p++;
    const char *stop = tn__scan_value(p, w->end);
    const char *next = tn__walk_line_end(w, stop);
    while (stop > p && is_blank(stop[-1])) stop--;
    *value = tn__walk_slice(w, p, stop);
    return next;
}

/*
 * Join the folded lines from p on to the value before them, RFC 9112 section 5.2: one space in place of the fold, the rest of the
 * line moved up, and spaces where it was. What results is an equally valid head that says the same; so it does no harm when more
 * bytes must come and all is parsed again. Each byte is moved once.
 */
static const char *unfold(tn__walk *w, const char *p, tn__slice *value)
{
    uint32_t blanks_end = value->at + value->n; /* from the value's end up to here there are blanks only */
    for (;;) {
        tn__slice more;
        if (p == w->end) return tn__walk_more(w);
        if (!is_blank(*p)) return p;
        p = walk_value(w, p, &more);
        if (!p) return NULL;
        if (value->n == 0) {
            memset(w->head + value->at, ' ', more.at - value->at);
            *value = more;
        } else if (more.n) {
            w->head[value->at + value->n++] = ' ';
            memmove(w->head + value->at + value->n, w->head + more.at, more.n);
            value->n += more.n;
        }
        if (blanks_end < value->at + value->n) blanks_end = value->at + value->n;
        memset(w->head + blanks_end, ' ', more.at + more.n - blanks_end);
        blanks_end = more.at + more.n;
    }
}

const char *tn__walk_fields(tn__walk *w, const char *p, tn__field *fields, uint32_t fields_max, uint32_t *n_fields,
                            tn__facts *facts)
{
    uint32_t n = 0;
    for (;; n++) {
        if (p == w->end) return tn__walk_more(w);
        if (*p == '\r' || *p == '\n') break;
        if (n == fields_max) return tn__walk_refuse(w, 431, "too many header lines");
        tn__field *field = &fields[n];
        const char *name = p, *colon = tn__scan_token(p, w->end);
        if (colon == w->end || *colon != ':' || colon == name) return refuse_name(w, name, colon);
        field->name = tn__walk_slice(w, name, colon);
        p = walk_value(w, colon + 1, &field->value);
        if (p && w->dialect->fold) p = unfold(w, p, &field->value);
        if (!p || !take_field(w, facts, tn_str_of(name, (size_t)(colon - name)), field)) return NULL;
    }
    *n_fields = n;
    return tn__walk_line_end(w, p);
}

bool tn__has_blank_line(const char *p, const char *end)
{
    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        p++;
        if (p < end && *p == '\n') return true;
        if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') return true;
    }
    return false;
}

bool tn__is_token(tn_str s)
{
    return s.n > 0 && tn__scan_token(s.p, s.p + s.n) == s.p + s.n;
}

bool tn__is_field_value(tn_str s)
{
    return s.n == 0 || tn__scan_value(s.p, s.p + s.n) == s.p + s.n;
}
