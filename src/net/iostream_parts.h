/* What the three files of the stream share with each other and with nobody else. */
#ifndef TN_NET_IOSTREAM_PARTS_H
#define TN_NET_IOSTREAM_PARTS_H

#include "iostream.h"

void tn__stream_read(tn_stream *s);                        /* one recv, and all that follows from it */
void tn__stream_again(tn_loop *loop, tn__work *work);      /* the ready phase's way into reading */
void tn__stream_tell_hangup(tn_stream *s);                 /* once for each pause */
void tn__stream_late_flush(tn_loop *loop, tn__work *work); /* the end of the turn's way into sending */
void tn__stream_drop_output(tn_stream *s);

#endif
