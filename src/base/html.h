/* What a byte becomes in HTML text and attributes. */
#ifndef TN_BASE_HTML_H
#define TN_BASE_HTML_H

#include <stddef.h>

enum { TN__HTML_ENTITY_MAX = 6 }; /* the longest of them */

/* NULL: itself. Tornado's five, the apostrophe as it is written since 6.4. */
static inline const char *tn__html_entity(unsigned char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#x27;";
    default: return NULL;
    }
}

#endif
