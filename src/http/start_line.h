/*
 * First lines of messages by themselves, RFC 9112 sections 3 and 4: for callers that have a line and not a head. Heads are read by
 * parser.h and response_parser.h, which need no second pass for their first line.
 */
#ifndef TN_HTTP_START_LINE_H
#define TN_HTTP_START_LINE_H

#include "tornado/str.h"

typedef struct tn__request_line {
    tn_str method, target, version;
} tn__request_line;

/*
 * Divide "method target HTTP/d.d", without its line end. The target may hold any visible byte, and those from 0x80 up; which form it
 * has, and which version this is, is for the caller to judge. False for anything else.
 */
bool tn__request_line_split(tn_str line, tn__request_line *out);

typedef struct tn__status_line {
    tn_str version, phrase;
    int status; /* 0 to 999 */
} tn__status_line;

/* Divide "HTTP/d.d ddd phrase", without its line end. The phrase may be empty, the space before it is always there. */
bool tn__status_line_split(tn_str line, tn__status_line *out);

#endif
