/* Start lines: each is one pass from left to right. */
#include "start_line.h"

#include "scan.h"

enum { VERSION_BYTES = sizeof "HTTP/1.1" - 1 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* HTTP-version, RFC 9112 section 2.3; its name is case-sensitive. */
static bool is_version(const char *p, const char *end)
{
    return end - p == VERSION_BYTES && memcmp(p, "HTTP/", 5) == 0 && is_digit(p[5]) && p[6] == '.' && is_digit(p[7]);
}

bool tn__request_line_split(tn_str line, tn__request_line *out)
{
    if (line.n == 0) return false;
    const char *end = line.p + line.n, *method_end = tn__scan_token(line.p, end);
    if (method_end == line.p || method_end == end || *method_end != ' ') return false;
    const char *target = method_end + 1, *target_end = tn__scan_scalar(target, end, TN__BYTE_WIDE);
    if (target_end == target || target_end == end || *target_end != ' ' || !is_version(target_end + 1, end)) return false;
    out->method = tn_str_of(line.p, (size_t)(method_end - line.p));
    out->target = tn_str_of(target, (size_t)(target_end - target));
    out->version = tn_str_of(target_end + 1, VERSION_BYTES);
    return true;
}

bool tn__status_line_split(tn_str line, tn__status_line *out)
{
    enum { PHRASE = VERSION_BYTES + sizeof " 200 " - 1 };
    if (line.n < PHRASE || !is_version(line.p, line.p + VERSION_BYTES)) return false;
    const char *digits = line.p + VERSION_BYTES + 1, *end = line.p + line.n;
    if (digits[-1] != ' ' || digits[3] != ' ') return false;
    if (!is_digit(digits[0]) || !is_digit(digits[1]) || !is_digit(digits[2])) return false;
    if (tn__scan_value(line.p + PHRASE, end) != end) return false;
    out->version = tn_str_of(line.p, VERSION_BYTES);
    out->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    out->phrase = tn_str_of(line.p + PHRASE, line.n - PHRASE);
    return true;
}
