/* Searching what has come on a stream for a regular expression: the one place of the C face's streams that knows PCRE2. */
#ifndef TN_GEN_STREAM_MATCH_H
#define TN_GEN_STREAM_MATCH_H

#include "net/iostream_ops.h"

/*
 * Set `match` and `match_arg` of a read. The compiled pattern stays with the stream, for the next read that wants the same. TN_EBUSY
 * while a read waits; TN_EPATTERN; TN_ENOMEM.
 */
int tn__stream_matcher(tn__iostream *io, tn_str pattern, tn__read *r);

#endif
