/*
 * Heads of requests, RFC 9112 sections 2 and 3: the request line, and the verdict on the whole head.
 *
 * Called by http1 with everything that has arrived of a head. One walk from left to right, a function for each part. Nothing is kept
 * between two calls but how far the last one looked: see comes_to_an_end.
 */
#include "http/parser.h"
#include "http/parser_fields.h"
#include "http/scan.h"

enum { METHOD_BYTES_MAX = 32 };

static tn__method method_of(const char *p, size_t n)
{
    switch (n) {
    case 3:
        if (memcmp(p, "GET", 3) == 0) return TN__GET;
        if (memcmp(p, "PUT", 3) == 0) return TN__PUT;
        break;
    case 4:
        if (memcmp(p, "POST", 4) == 0) return TN__POST;
        if (memcmp(p, "HEAD", 4) == 0) return TN__HEAD;
        break;
    case 5:
        if (memcmp(p, "PATCH", 5) == 0) return TN__PATCH;
        break;
    case 6:
        if (memcmp(p, "DELETE", 6) == 0) return TN__DELETE;
        break;
    case 7:
        if (memcmp(p, "OPTIONS", 7) == 0) return TN__OPTIONS;
        break;
    }
    return TN__METHOD_OTHER;
}

static const char *malformed_line(tn__walk *w)
{
    return tn__walk_refuse(w, 400, "Malformed HTTP request line");
}

static const char *walk_method(tn__walk *w, const char *method, tn__request_head *head)
{
    if (w->end - method >= 4 && memcmp(method, "GET ", 4) == 0) { /* most requests, settled in one comparison */
        head->method = tn__walk_slice(w, method, method + 3);
        head->method_id = TN__GET;
        return method + 4;
    }
    const char *limit = w->end - method > METHOD_BYTES_MAX ? method + METHOD_BYTES_MAX + 1 : w->end;
    const char *stop = tn__scan_scalar(method, limit, TN__BYTE_TOKEN);
    if (stop - method > METHOD_BYTES_MAX) return tn__walk_refuse(w, 501, "method too long");
    if (stop == w->end) return tn__walk_more(w);
    if (stop == method || *stop != ' ') return malformed_line(w);
    head->method = tn__walk_slice(w, method, stop);
    head->method_id = method_of(method, head->method.n);
    return stop + 1;
}

/* The bytes of the target; its form is judged once the version is known to be one of ours. */
static const char *walk_target(tn__walk *w, const char *target, uint32_t bytes_max, tn__request_head *head)
{
    const char *stop = w->dialect->any_target ? tn__scan_scalar(target, w->end, TN__BYTE_WIDE) : tn__scan_target(target, w->end);
    if ((size_t)(stop - target) > bytes_max) return tn__walk_refuse(w, 414, "request-target too long");
    if (stop == w->end) return tn__walk_more(w);
    if (stop == target || *stop != ' ') return malformed_line(w);
    head->target = tn__walk_slice(w, target, stop);
    return stop + 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *walk_version(tn__walk *w, const char *version, tn__request_head *head)
{
    static const char name[5] = "HTTP/", usual[10] = "HTTP/1.1\r\n";
    size_t left = (size_t)(w->end - version);
    if (left >= sizeof usual && memcmp(version, usual, sizeof usual) == 0) {
        head->minor = 1;
        return version + sizeof usual;
    }
    if (memcmp(version, name, left < sizeof name ? left : sizeof name) != 0) return malformed_line(w);
    if (left < 8) {
        /* What is there must not be a line of its own: it would never be refused. */
        return memchr(version, '\n', left) ? malformed_line(w) : tn__walk_more(w);
    }
    const char *stop = version + 8;
    if (!is_digit(version[5]) || version[6] != '.' || !is_digit(version[7])) return malformed_line(w);
    if (stop < w->end && *stop != '\r' && *stop != '\n') return malformed_line(w);
    const char *next = tn__walk_line_end(w, stop);
    if (next && version[5] != '1') return tn__walk_refuse(w, 505, "unsupported HTTP version");
    head->minor = version[7] != '0';
    return next;
}

/* Divide what follows the authority, or all of an origin-form target, at the first '?'. */
static void divide(const tn__walk *w, const char *p, const char *end, tn__request_head *head)
{
    bool slash = end - p == 1 && *p == '/'; /* the most frequent of all */
    const char *mark = slash ? NULL : memchr(p, '?', (size_t)(end - p));
    head->path = tn__walk_slice(w, p, mark ? mark : end);
    if (mark) head->query = tn__walk_slice(w, mark + 1, end);
}

/* http://authority/path?query: how many bytes of scheme and slashes; 0 when it is something else. */
static size_t scheme_bytes(tn_str target)
{
    if (target.n >= 7 && tn_str_caseeq(tn_str_of(target.p, 7), TN_S("http://"))) return 7;
    if (target.n >= 8 && tn_str_caseeq(tn_str_of(target.p, 8), TN_S("https://"))) return 8;
    return 0;
}

static bool judge_absolute_form(tn__walk *w, tn_str target, tn__request_head *head)
{
    size_t scheme = scheme_bytes(target);
    if (!scheme) return malformed_line(w);
    const char *authority = target.p + scheme, *end = target.p + target.n, *stop = authority;
    while (stop < end && *stop != '/' && *stop != '?') stop++;
    if (!tn__is_authority(tn_str_of(authority, (size_t)(stop - authority)))) {
        return tn__walk_refuse(w, 400, "invalid authority in the request-target");
    }
    head->absolute = true;
    head->host = tn__walk_slice(w, authority, stop);
    divide(w, stop, end, head);
    /* RFC 9110, 4.2.3: an empty path is "/". There is one to point to: the second slash of the scheme's "://". */
    if (head->path.n == 0) head->path = tn__walk_slice(w, authority - 1, authority);
    return true;
}

/* RFC 9112, 3.2.3: authority-form, whose port is not optional. */
static bool is_authority_with_port(tn_str target)
{
    const char *port = target.p + target.n;
    while (port > target.p && is_digit(port[-1])) port--;
    return port < target.p + target.n && port > target.p && port[-1] == ':' && tn__is_authority(target);
}

/* The four forms of a request-target, RFC 9112 section 3.2. */
static bool judge_target(tn__walk *w, tn__request_head *head)
{
    tn_str method = {w->head + head->method.at, head->method.n};
    tn_str target = {w->head + head->target.at, head->target.n};
    if (head->method_id == TN__METHOD_OTHER && tn_str_eq(method, TN_S("CONNECT"))) {
        return is_authority_with_port(target) || malformed_line(w);
    }
    if (target.p[0] == '/') {
        divide(w, target.p, target.p + target.n, head);
        return true;
    }
    if (target.n == 1 && target.p[0] == '*') {
        head->path = head->target;
        return head->method_id == TN__OPTIONS || malformed_line(w);
    }
    return judge_absolute_form(w, target, head);
}

static const char *walk_request_line(tn__walk *w, const char *p, const tn__head_limits *limits, tn__request_head *head)
{
    p = walk_method(w, p, head);
    if (p) p = walk_target(w, p, limits->target_bytes_max, head);
    if (p) p = walk_version(w, p, head);
    return p && judge_target(w, head) ? p : NULL;
}

/* RFC 9112, 3.2: exactly one Host field in HTTP/1.1, and never two of them or one that is no authority. */
static bool judge_host(tn__walk *w, const tn__facts *facts, tn__request_head *head)
{
    if (facts->hosts > 1) return tn__walk_refuse(w, 400, "several Host headers");
    if (facts->hosts == 0) return head->minor == 0 || tn__walk_refuse(w, 400, "Missing Host header");
    if (!tn__is_authority(tn_str_of(w->head + facts->host.at, facts->host.n))) {
        return tn__walk_refuse(w, 400, "Invalid Host header");
    }
    if (!head->absolute) head->host = facts->host;
    return true;
}

/* What can be said only when all fields are known. */
static bool judge_fields(tn__walk *w, tn__facts *facts, tn__request_head *head)
{
    bool http10 = head->minor == 0;
    if (!judge_host(w, facts, head) || !tn__walk_judge_codings(w, facts, http10)) return false;
    /* RFC 9110, 10.1.1: HTTP/1.0 knows no expectations. */
    if (facts->expect && !http10) {
        if (facts->expect_other) return tn__walk_refuse(w, 417, "unknown expectation");
        facts->framing.expect_continue = true;
    }
    head->framing = facts->framing;
    return true;
}

/* All lines, or those from p on: the beginning of the head or of one of its later lines. */
static const char *walk_lines(tn__walk *w, const char *p, const tn__head_limits *limits, tn__request_head *head, tn__facts *facts)
{
    if (p == w->head) p = walk_request_line(w, p, limits, head);
    return p ? tn__walk_fields(w, p, head->fields, limits->fields_max, &head->n_fields, facts) : NULL;
}

/*
 * Does the walk come to an end in what has arrived since an earlier call, at the blank line or at a line that must be refused?
 * Nothing is known of the lines before but that they did not end it; so it begins with the line that was incomplete then. Only lines
 * that have become complete are looked at, and each byte but twice.
 */
static bool comes_to_an_end(tn__walk w, uint32_t looked, const tn__head_limits *limits, tn__request_head *head)
{
    tn__facts facts = tn__no_facts();
    const char *line = w.head + looked;
    if (!memchr(line, '\n', (size_t)(w.end - line))) return false;
    while (line > w.head && line[-1] != '\n') line--;
    /* A line that may continue another one cannot be judged alone. The line before it may end just where this one begins. */
    if (w.dialect->fold) return tn__has_blank_line(line > w.head ? line - 1 : line, w.end);
    return walk_lines(&w, line, limits, head, &facts) || w.outcome != TN__HEAD_MORE;
}

/* Would the whole walk get further than on an earlier call? */
static bool worth_walking(const tn__walk *w, uint32_t looked, const tn__head_limits *limits, tn__request_head *head)
{
    size_t n = (size_t)(w->end - w->head), target_end_max = (size_t)limits->target_bytes_max + METHOD_BYTES_MAX + 1;
    if (looked == 0 || (looked <= target_end_max && n > target_end_max)) return true;
    return comes_to_an_end(*w, looked, limits, head);
}

/* All of it but `fields`. */
static void reset(tn__request_head *head)
{
    const tn__slice none = {0, 0};
    head->n_fields = head->bytes = 0;
    head->method = head->target = head->host = head->path = head->query = none;
    head->method_id = TN__METHOD_OTHER;
    head->minor = 0;
    head->absolute = false;
    head->framing = (tn__framing){.content_length = -1};
    head->status = 0;
    head->reason = NULL;
}

int tn__parse_request(char *p, size_t n, uint32_t *resume, const tn__dialect *dialect, const tn__head_limits *limits,
                      tn__request_head *head)
{
    bool cut = n > limits->head_bytes_max;
    tn__walk w = {.head = p, .end = p + (cut ? limits->head_bytes_max : n), .dialect = dialect};
    if (!cut && !worth_walking(&w, *resume, limits, head)) {
        *resume = (uint32_t)n;
        return TN__HEAD_MORE;
    }
    reset(head);
    tn__facts facts = tn__no_facts();
    const char *end = walk_lines(&w, p, limits, head, &facts);
    if (end && judge_fields(&w, &facts, head)) {
        head->bytes = (uint32_t)(end - p);
        return TN__HEAD_DONE;
    }
    if (w.outcome == TN__HEAD_MORE && !cut) {
        *resume = (uint32_t)n;
        return TN__HEAD_MORE;
    }
    if (w.outcome == TN__HEAD_MORE) tn__walk_refuse(&w, 431, "header lines too long");
    head->status = w.status;
    head->reason = w.reason;
    return TN__HEAD_REFUSED;
}
