/*
 * A response put together from the bytes of a connection, for the tools that ask for one: whole, in memory, without a limit but
 * that of memory.
 */
#ifndef TN_TOOLS_ANSWER_H
#define TN_TOOLS_ANSWER_H

#include "base/buf.h"
#include "tornado/httpclient.h"

typedef struct tn__answer tn__answer;

/* head_only: to a HEAD request, which has no body. NULL for lack of memory. */
tn__answer *tn__answer_new(bool head_only);

/* Where received bytes are appended before tn__answer_look. */
tn_buf *tn__answer_input(tn__answer *a);

/*
 * Is it complete? TN_OK: it is in `out`, valid until tn__answer_free. TN_EAGAIN: more bytes are wanted. TN_EOF: they were, but `eof`
 * says that there will be none. TN_ESYNTAX; TN_ENOMEM.
 */
int tn__answer_look(tn__answer *a, bool eof, tn_response *out);

void tn__answer_free(tn__answer *a); /* NULL is fine */

#endif
