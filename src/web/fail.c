/*
 * Errors of handlers: what was raised, what was merely returned, and the responses that come of it.
 *
 * The page is the handler's (write_error) or ours; a write_error that fails gets ours; and when even that cannot be sent, or a
 * response has begun already, the connection ends. Never is an error page sent inside another body.
 */
#include <stdarg.h>
#include <stdio.h>

#include "http/error_page.h"
#include "http/status.h"
#include "req.h"

int tn_raise(tn_req *r, int status, const char *format, ...)
{
    if (status < 200 || status > 599) status = 500;
    r->raised_status = status;
    r->raised_text = (tn_str){0};
    r->allow = (tn_str){0};
    if (format) {
        va_list args;
        va_start(args, format);
        r->raised_text = tn__arena_vprintf(tn__req_arena(r), format, args); /* without memory it is raised all the same */
        va_end(args);
    }
    return TN_ERAISED;
}

/* Errors of ours that say which response is meant. */
static int status_of(const tn_req *r, int error)
{
    switch (error) {
    case TN_ERAISED: return r->raised_status ? r->raised_status : 500;
    case TN_ENOMEM: return r->x->arena.exhausted ? 413 : 503;
    default: return 500;
    }
}

static void say(tn_req *r, int error, int status)
{
    const tn__report *report = &tn__req_loop(r)->report;
    tn_str method = tn_req_method(r), uri = tn_req_uri(r), ip = tn_req_remote_ip(r);
    if (error != TN_ERAISED) {
        TN__SAY(report, TN_LOG_ERROR, TN_LOG_APPLICATION, "Uncaught error " TN_FMT " " TN_FMT " (" TN_FMT "): %s (%s)",
                TN_ARG(method), TN_ARG(uri), TN_ARG(ip), tn_errname(error), tn_strerror(error));
    } else if (r->raised_text.n) {
        TN__SAY(report, TN_LOG_WARNING, TN_LOG_GENERAL, "%d " TN_FMT " " TN_FMT " (" TN_FMT "): " TN_FMT, status, TN_ARG(method),
                TN_ARG(uri), TN_ARG(ip), TN_ARG(r->raised_text));
    }
}

static int call_write_error(void *arg)
{
    tn_req *r = arg;
    return r->slots->write_error(r, r->error_status);
}

/* Our own page; in debug mode, the error in plain text. */
static int write_page(tn_req *r, int error)
{
    if (r->app->opts.debug && error != TN_ERAISED) {
        TN_TRY(tn_set_header(r, "Content-Type", "text/plain; charset=UTF-8"));
        tn_str reason = tn__status_reason(r->status);
        return tn_printf(r, "%d: " TN_FMT "\n\n%s: %s\n", r->status, TN_ARG(reason), tn_errname(error), tn_strerror(error));
    }
    char page[TN__ERROR_PAGE_MAX];
    size_t n = tn__error_page(page, r->status, r->reason.n ? r->reason : tn__status_reason(r->status));
    return tn_write(r, tn_str_of(page, n));
}

/* Status and fields of an error response. */
static int begin(tn_req *r, int status)
{
    r->error_status = status; /* also of the page that replaces this one, should it not come to be */
    TN_TRY(tn__respond_reset(r));
    r->status = status;
    return r->allow.n ? tn_set_header(r, "Allow", r->allow) : TN_OK;
}

static int abandon(tn_req *r)
{
    r->aborted = true;
    return TN_OK;
}

int tn__fail(tn_req *r, int error)
{
    /* A peer that has left, or a wait that was called off because of it, is nobody's fault. */
    bool gone = r->x->broken || r->x->conn->stream.closed;
    bool called_off = gone || (r->told_closed && r->slots->cancel_on_close);
    if (called_off && (error == TN_ECLOSED || error == TN_ECANCELED)) return abandon(r);

    int status = status_of(r, error);
    if (r->failing < 2) say(r, error, status);
    if (r->x->head_sent) {
        if (!gone)
            TN__SAY(&tn__req_loop(r)->report, TN_LOG_ERROR, TN_LOG_GENERAL, "Cannot send error response after headers written");
        return abandon(r);
    }
    if (r->failing == 0) {
        r->failing = 1;
        TN_TRY(begin(r, status));
        return r->slots->write_error ? tn__req_call(r, call_write_error) : write_page(r, error);
    }
    if (r->failing == 1) {
        r->failing = 2;
        TN_TRY(begin(r, error == TN_ERAISED ? status : r->error_status));
        return write_page(r, error);
    }
    return abandon(r);
}
