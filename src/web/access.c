/* The access log: one line a request, in Tornado's form. Nothing is measured or formatted unless somebody wants to read it. */
#include <time.h>

#include "req.h"

static int64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t tn__log_clock(const tn_req *r)
{
    return tn__report_wants(&tn__req_loop(r)->report, TN_LOG_INFO) ? clock_now() : 0;
}

void tn__log_request(tn_req *r)
{
    const tn__report *report = &tn__req_loop(r)->report;
    int status = r->x->status;
    int level = status < 400 ? TN_LOG_INFO : status < 500 ? TN_LOG_WARNING : TN_LOG_ERROR;
    if (!tn__report_wants(report, level)) return;
    char ip[TN_ADDR_TEXT_BYTES];
    tn_str from = tn__http1_remote_ip(r->x->conn, ip), method = tn_req_method(r), uri = tn_req_uri(r);
    int64_t began = r->started_ns ? r->started_ns : clock_now();
    double ms = (double)(clock_now() - began) / 1e6;
    TN__SAY(report, level, TN_LOG_ACCESS, "%d " TN_FMT " " TN_FMT " (" TN_FMT ") %.2fms", status, TN_ARG(method), TN_ARG(uri),
            TN_ARG(from), ms);
}
