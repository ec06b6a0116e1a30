/*
 * Dates as HTTP writes them, RFC 9110 section 5.6.7. Times are seconds since 1970 in UTC, and may lie before. Neither the locale
 * nor the time zone of the process matters.
 */
#ifndef TN_HTTP_DATE_H
#define TN_HTTP_DATE_H

#include "tornado/str.h"

enum { TN__DATE_BYTES = 29 };

/* "Sun, 06 Nov 1994 08:49:37 GMT", no NUL. Times outside the years 0 to 9999 are moved to the nearest one inside. */
void tn__date_format(char out[TN__DATE_BYTES], int64_t seconds);

/*
 * The time that `text` says, in any of the three forms that a recipient must accept.
 *
 * now: decides the century of the form with two digits: the year is the last such one that is not more than 50 years ahead.
 *
 * TN_ESYNTAX for anything else: other blanks, other spellings, a 30th of February. Whether the day of the week is the right one is
 * not looked at.
 */
int tn__date_parse(tn_str text, int64_t now, int64_t *seconds);

#endif
