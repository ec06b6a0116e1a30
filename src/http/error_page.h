/* The page that goes with an error when the application has none of its own: Tornado's, one line of HTML. */
#ifndef TN_HTTP_ERROR_PAGE_H
#define TN_HTTP_ERROR_PAGE_H

#include "tornado/str.h"

enum { TN__ERROR_PAGE_MAX = 1024 };

/* Write "<html><title>404: Not Found</title>..." with the reason escaped, and cut to 60 bytes. Returns the length; no NUL. */
size_t tn__error_page(char out[TN__ERROR_PAGE_MAX], int status, tn_str reason);

#endif
