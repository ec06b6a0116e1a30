/*
 * Responses, as those who have asked for them see them. Tornado's httpclient.HTTPResponse.
 *
 * All calls exist since 0.1.
 */
#ifndef TORNADO_HTTPCLIENT_H
#define TORNADO_HTTPCLIENT_H

#include "error.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A header field. */
typedef struct tn_header {
    tn_str name, value;
} tn_header;

/* A response. Everything in it is borrowed: whoever gave it says until when it is valid. */
typedef struct tn_response {
    int code;                 /* 200, 404, ... */
    tn_str reason;            /* "OK"; may be empty */
    tn_str body;              /* without its transfer coding; followed by a NUL */
    const tn_header *headers; /* in the order in which they came */
    size_t headers_n;
    double total_time;      /* seconds, from the call to the end of the body */
    uint64_t reserved_[16]; /* zero: room for later members */
} tn_response;

/* The first header field of that name, in any case; its `p` is NULL when there is none. */
#define tn_response_header(response, name) tn_response_header_s((response), TN_STR(name))
TN_API tn_str tn_response_header_s(const tn_response *response, tn_str name);

#ifdef __cplusplus
}
#endif

#endif
