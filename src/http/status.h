/*
 * Status codes and their reason phrases: RFC 9110, section 15, and the IANA registry (RFC 9110, 16.2.1).
 */
#ifndef TN_HTTP_STATUS_H
#define TN_HTTP_STATUS_H

#include "tornado/str.h"

/* The reason phrase of a code; "Unknown" for one that has none. Static text. */
tn_str tn__status_reason(int code);

/* The whole status line, such as "HTTP/1.1 200 OK" and CRLF. Static text; empty for a code without a phrase of its own. */
tn_str tn__status_line(int code);

#endif
