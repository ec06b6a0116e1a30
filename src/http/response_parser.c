/*
 * Heads of responses, RFC 9112 section 4: the status line, and where the body ends.
 *
 * Called by the client with everything that has arrived of a head. The walk is that of parser.c; the field lines are read by the same
 * code, so that client and server never disagree about what frames a message.
 */
#include "http/response_parser.h"

#include "http/parser_fields.h"
#include "http/scan.h"

/* A client answers nothing; the status that a server would answer is not looked at. */
static const char *refuse(tn__walk *w, const char *reason)
{
    return tn__walk_refuse(w, 400, reason);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Is what there is of "HTTP/d.d ddd" good? The first digit of a status is not 0. */
static bool is_status_start(const char *p, size_t n)
{
    static const char shape[] = "HTTP/d.d ddd";
    for (size_t i = 0; i < n && i < sizeof shape - 1; i++) {
        if (shape[i] == 'd' ? !is_digit(p[i]) : p[i] != shape[i]) return false;
    }
    return n <= 9 || p[9] != '0';
}

/* HTTP-version SP status-code [SP reason-phrase]. Section 4 has the second space always; many servers without a phrase do not. */
static const char *walk_status_line(tn__walk *w, const char *line, tn__response_head *head)
{
    size_t left = (size_t)(w->end - line);
    if (!is_status_start(line, left)) return refuse(w, "Malformed HTTP status line");
    if (left <= 12) return tn__walk_more(w);
    if (line[5] != '1') return refuse(w, "unsupported HTTP version");
    head->minor = line[7] != '0';
    head->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    const char *phrase = line + 12;
    if (*phrase == ' ')
        phrase++;
    else if (*phrase != '\r' && *phrase != '\n')
        return refuse(w, "Malformed HTTP status line");
    const char *stop = tn__scan_value(phrase, w->end);
    head->phrase = tn__walk_slice(w, phrase, stop);
    return tn__walk_line_end(w, stop);
}

/* RFC 9112, 6.3, in its order. */
static bool judge_body(tn__walk *w, tn__facts *facts, tn__answered answered, tn__response_head *head)
{
    if (!tn__walk_judge_codings(w, facts, head->minor == 0)) return false;
    head->framing = facts->framing;
    int64_t length = head->framing.content_length;
    if (head->status < 200 && (head->framing.chunked || length >= 0)) {
        return refuse(w, "Response with code 1xx should not have body");
    }
    if (head->status == 204 && (head->framing.chunked || length > 0)) {
        return refuse(w, "Response with code 204 should not have body");
    }
    bool tunnel = answered == TN__ANSWERED_CONNECT && head->status / 100 == 2;
    if (answered == TN__ANSWERED_HEAD || head->status < 200 || head->status == 204 || head->status == 304 || tunnel) {
        head->body = TN__BODY_NONE;
    } else if (head->framing.chunked) {
        head->body = TN__BODY_CHUNKED;
    } else {
        head->body = length >= 0 ? TN__BODY_LENGTH : TN__BODY_UNTIL_CLOSE;
    }
    return true;
}

int tn__parse_response(char *p, size_t n, uint32_t *resume, const tn__dialect *dialect, const tn__head_limits *limits,
                       tn__answered answered, tn__response_head *head)
{
    bool cut = n > limits->head_bytes_max;
    tn__walk w = {.head = p, .end = p + (cut ? limits->head_bytes_max : n), .dialect = dialect};
    /* Looking for the blank line only, a client that is dripped at has linear work; it can wait with what it refuses. */
    if (*resume && !cut && !tn__has_blank_line(p + (*resume > 2 ? *resume - 2 : 0), w.end)) {
        *resume = (uint32_t)n;
        return TN__HEAD_MORE;
    }
    *head = (tn__response_head){.fields = head->fields};
    tn__facts facts = tn__no_facts();
    const char *at = walk_status_line(&w, p, head);
    if (at) at = tn__walk_fields(&w, at, head->fields, limits->fields_max, &head->n_fields, &facts);
    if (at && judge_body(&w, &facts, answered, head)) {
        head->bytes = (uint32_t)(at - p);
        return TN__HEAD_DONE;
    }
    if (w.outcome == TN__HEAD_MORE && !cut) {
        *resume = (uint32_t)n;
        return TN__HEAD_MORE;
    }
    head->reason = w.outcome == TN__HEAD_MORE ? "header lines too long" : w.reason;
    return TN__HEAD_REFUSED;
}
