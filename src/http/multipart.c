/*
 * The multipart parser. It takes linear time: the search for a delimiter begins at each CR, which no boundary contains, so no byte is
 * compared by two attempts; and a part's head is looked at once, inside its part.
 */
#include "multipart.h"

#include "params.h"
#include "parser.h"
#include "scan.h"
#include "tornado/error.h"
#include "url.h"

enum { PARTS_MAX = 100, PART_HEAD_BYTES_MAX = 10 * 1024, BOUNDARY_BYTES_MAX = 70 };

static int refuse(const char **reason, int code, const char *clause)
{
    *reason = clause;
    return code;
}

/* RFC 2046, 5.1.1: 1 to 70 of these, the last one no blank. */
static bool is_boundary(tn_str s)
{
    if (s.n == 0 || s.n > BOUNDARY_BYTES_MAX || s.p[s.n - 1] == ' ') return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], lower = (char)(c | 0x20);
        bool fits = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c && strchr("'()+_,-./:=? ", c));
        if (!fits) return false;
    }
    return true;
}

bool tn__is_multipart(tn_str content_type)
{
    return tn_str_caseeq(tn__params_first(&content_type), TN_S("multipart/form-data"));
}

static int find_boundary(tn_str content_type, tn_str *boundary, const char **reason)
{
    tn_str found = {NULL, 0};
    tn__param param;
    tn__params_first(&content_type);
    int rc;
    while ((rc = tn__params_next(&content_type, &param)) > 0) {
        if (!tn_str_caseeq(param.name, TN_S("boundary"))) continue;
        if (found.p) return refuse(reason, TN_ESYNTAX, "two multipart boundaries");
        found = param.value;
    }
    if (rc < 0) return refuse(reason, TN_ESYNTAX, "malformed multipart content type");
    if (!is_boundary(found)) return refuse(reason, TN_ESYNTAX, "missing or invalid multipart boundary");
    *boundary = found;
    return TN_OK;
}

int tn__multipart_begin(tn__multipart *m, tn__arena *a, tn_str content_type, tn_str body, const tn__multipart_limits *limits,
                        const char **reason)
{
    tn_str boundary;
    TN_TRY(find_boundary(content_type, &boundary, reason));
    return tn__multipart_begin_at(m, a, boundary, body, limits, reason);
}

int tn__multipart_begin_at(tn__multipart *m, tn__arena *a, tn_str boundary, tn_str body, const tn__multipart_limits *limits,
                           const char **reason)
{
    if (boundary.n == 0 || !tn__is_field_value(boundary)) {
        return refuse(reason, TN_ESYNTAX, "missing or invalid multipart boundary");
    }
    tn_str delimiter = tn__arena_printf(a, "\r\n--" TN_FMT, TN_ARG(boundary));
    if (!delimiter.p) return TN_ENOMEM;

    /* The first delimiter has no CRLF before it. RFC 7578 has no use for a preamble, so there must be none. */
    tn_str first = {delimiter.p + 2, delimiter.n - 2};
    bool open = !tn_str_starts(body, first);
    if (open && !(limits && limits->open_start))
        return refuse(reason, TN_ESYNTAX, "multipart body does not begin with its boundary");
    size_t used = open ? 0 : first.n;
    *m = (tn__multipart){.rest = {body.p + used, body.n - used}, .delimiter = delimiter, .open = open};
    if (limits) m->limits = *limits;
    if (m->limits.parts_max == 0) m->limits.parts_max = PARTS_MAX;
    if (m->limits.part_head_bytes_max == 0) m->limits.part_head_bytes_max = PART_HEAD_BYTES_MAX;
    return TN_OK;
}

static const char *find_delimiter(tn_str s, tn_str delimiter)
{
    const char *p = s.p, *end = s.p + s.n;
    while ((p = memchr(p, '\r', (size_t)(end - p)))) {
        if ((size_t)(end - p) < delimiter.n) return NULL;
        if (memcmp(p, delimiter.p, delimiter.n) == 0) return p;
        p++;
    }
    return NULL;
}

/* What a part's head says. */
typedef struct part_head {
    tn_str disposition, type; /* `p` is NULL while unseen */
} part_head;

/* One header line, without its CRLF. NULL when it is well-formed, else a clause. */
static const char *read_line(tn_str line, part_head *head)
{
    const char *end = line.p + line.n, *colon = tn__scan_token(line.p, end);
    if (colon == line.p || colon == end || *colon != ':') return "malformed header line in a multipart part";
    tn_str name = {line.p, (size_t)(colon - line.p)};
    tn_str value = {colon + 1, (size_t)(end - colon - 1)};
    if (tn__scan_value(value.p, end) != end) return "Invalid header value in a multipart part";
    tn_str *place = tn_str_caseeq(name, TN_S("Content-Disposition")) ? &head->disposition
                    : tn_str_caseeq(name, TN_S("Content-Type"))      ? &head->type
                                                                     : NULL;
    if (!place) return NULL;
    if (place->p) return "repeated header in a multipart part";
    *place = tn_str_trim(value);
    return NULL;
}

/* All header lines; `text` ends with the CRLF of the last one. */
static const char *read_head(tn_str text, part_head *head)
{
    if (!tn__utf8_valid(text)) return "headers of a multipart part are not UTF-8";
    while (text.n) {
        const char *cr = memchr(text.p, '\r', text.n);
        size_t n = cr ? (size_t)(cr - text.p) : text.n;
        if (!cr || text.n - n < 2 || cr[1] != '\n') return "Invalid header value in a multipart part";
        const char *clause = read_line(tn_str_of(text.p, n), head);
        if (clause) return clause;
        text = tn_str_of(cr + 2, text.n - n - 2);
    }
    return NULL;
}

/* Latin-1 to UTF-8, in the arena. */
static tn_str from_latin1(tn__arena *a, tn_str in)
{
    char *out = tn__arena_alloc(a, in.n * 2 + 1), *to = out;
    if (!out) return tn_str_of(NULL, 0);
    for (size_t i = 0; i < in.n; i++) {
        unsigned char c = (unsigned char)in.p[i];
        if (c >= 0x80) *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    *to = '\0';
    return tn_str_of(out, (size_t)(to - out));
}

/* RFC 8187 (before: 5987, 2231): charset'language'value with percent coding. */
static int read_extended(tn__arena *a, tn_str text, tn_str *out, const char **reason)
{
    const char *end = text.p + text.n, *first = memchr(text.p, '\'', text.n);
    const char *second = first ? memchr(first + 1, '\'', (size_t)(end - first - 1)) : NULL;
    if (!second) return refuse(reason, TN_ESYNTAX, "malformed filename* in a multipart part");
    tn_str charset = {text.p, (size_t)(first - text.p)};
    bool utf8 = tn_str_caseeq(charset, TN_S("utf-8")) || tn_str_caseeq(charset, TN_S("us-ascii"));
    if (!utf8 && !tn_str_caseeq(charset, TN_S("iso-8859-1")))
        return refuse(reason, TN_ESYNTAX, "unknown character set in a multipart part");

    tn_str value = tn__url_unescape(a, tn_str_of(second + 1, (size_t)(end - second - 1)), false);
    if (value.p && !utf8) value = from_latin1(a, value);
    if (!value.p) return TN_ENOMEM;
    *out = value;
    return TN_OK;
}

/* What Content-Disposition says; `p` is NULL for what is not there. */
typedef struct disposition {
    tn_str name, filename, filename_extended;
} disposition;

static int read_parameter(tn__arena *a, const tn__param *param, disposition *d, const char **reason)
{
    bool extended = tn_str_caseeq(param->name, TN_S("filename*"));
    tn_str *place = extended                                       ? &d->filename_extended
                    : tn_str_caseeq(param->name, TN_S("filename")) ? &d->filename
                    : tn_str_caseeq(param->name, TN_S("name"))     ? &d->name
                                                                   : NULL;
    if (!place) {
        /* RFC 2231 divides long ones into filename*0, filename*1; forms never do. Without it, a file would pass for an argument. */
        bool piece = param->name.n > 9 && tn_str_caseeq(tn_str_of(param->name.p, 9), TN_S("filename*"));
        return piece ? refuse(reason, TN_ESYNTAX, "file name in pieces in a multipart part") : TN_OK;
    }
    if (place->p) return refuse(reason, TN_ESYNTAX, "repeated parameter in a multipart part");
    if (extended) return read_extended(a, param->value, place, reason);
    *place = tn__param_value(a, param);
    return place->p ? TN_OK : TN_ENOMEM;
}

static bool is_text(tn_str s)
{
    return tn__utf8_valid(s) && tn__is_field_value(s);
}

static int read_disposition(tn__arena *a, tn_str field, tn__part *part, const char **reason)
{
    if (!tn_str_caseeq(tn__params_first(&field), TN_S("form-data")))
        return refuse(reason, TN_ESYNTAX, "disposition of a multipart part is not form-data");
    disposition d = {0};
    tn__param param;
    int rc;
    while ((rc = tn__params_next(&field, &param)) > 0) TN_TRY(read_parameter(a, &param, &d, reason));
    if (rc < 0) return refuse(reason, TN_ESYNTAX, "malformed disposition of a multipart part");
    if (d.name.n == 0) return refuse(reason, TN_ESYNTAX, "multipart part without a name");

    part->name = d.name;
    part->filename = d.filename_extended.p ? d.filename_extended : d.filename; /* RFC 6266, 4.3: the extended one counts */
    if (part->filename.p && !is_text(part->filename)) return refuse(reason, TN_ESYNTAX, "invalid file name in a multipart part");
    return TN_OK;
}

/* `text` lies between two delimiters: CRLF, header lines, blank line, body. The CRLF of the second one follows it. */
static int read_part(const tn__multipart *m, tn__arena *a, tn_str text, tn__part *part, const char **reason)
{
    size_t line_end = m->open ? 0 : 2;
    if (!m->open && !tn_str_starts(text, TN_S("\r\n"))) return refuse(reason, TN_ESYNTAX, "text behind a multipart boundary");
    text = tn_str_of(text.p + line_end, text.n - line_end);
    /* RFC 2046, 5.1.1: a part may end behind its headers. Then the second half of the blank line is the delimiter's CRLF. */
    size_t reach = text.n + 2, head_max = m->limits.part_head_bytes_max;
    size_t look_at = reach < head_max + 4 ? reach : head_max + 4;
    const char *blank = memmem(text.p, look_at, "\r\n\r\n", 4);
    if (!blank && look_at < reach) return refuse(reason, TN_ETOOBIG, "multipart part header too large");
    if (!blank) return refuse(reason, TN_ESYNTAX, "multipart part without a blank line behind its headers");

    size_t head_n = (size_t)(blank - text.p), body_at = head_n + 4 < text.n ? head_n + 4 : text.n;
    part_head head = {0};
    const char *clause = read_head(tn_str_of(text.p, head_n + 2), &head);
    if (clause) return refuse(reason, TN_ESYNTAX, clause);
    if (!head.disposition.p) return refuse(reason, TN_ESYNTAX, "multipart part without a disposition");
    *part = (tn__part){.body = {text.p + body_at, text.n - body_at}};
    part->content_type = head.type.n ? head.type : TN_S("application/unknown");
    return read_disposition(a, head.disposition, part, reason);
}

int tn__multipart_next(tn__multipart *m, tn__arena *a, tn__part *part, const char **reason)
{
    if (!m->open && tn_str_starts(m->rest, TN_S("--"))) return 0;
    if (m->parts == m->limits.parts_max) return refuse(reason, TN_ETOOBIG, "too many multipart parts");
    m->parts++;
    const char *delimiter = find_delimiter(m->rest, m->delimiter);
    if (!delimiter) return refuse(reason, TN_ESYNTAX, "multipart body without its final boundary");
    tn_str text = {m->rest.p, (size_t)(delimiter - m->rest.p)};
    tn__part found;
    TN_TRY(read_part(m, a, text, &found, reason));
    size_t used = text.n + m->delimiter.n;
    m->rest = tn_str_of(m->rest.p + used, m->rest.n - used);
    m->open = false;
    *part = found;
    return 1;
}
