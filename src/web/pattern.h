/*
 * Patterns of paths and host names: thin over PCRE2, with limits on the work that one match may cost. The only file of this floor
 * that knows the library; another face brings a matcher of its own.
 */
#ifndef TN_WEB_PATTERN_H
#define TN_WEB_PATTERN_H

#include "tornado/error.h"

enum { TN__GROUPS_MAX = 32 };

typedef struct tn__pattern tn__pattern;

/* The groups of one match: bytes of the subject; `p` is NULL for one that took no part. */
typedef struct tn__groups {
    uint32_t n;
    tn_str at[TN__GROUPS_MAX];
} tn__groups;

/*
 * Compile a pattern that must match the whole of a subject. TN_EPATTERN with position and reason in `err`, also for more than
 * TN__GROUPS_MAX groups; TN_ENOMEM.
 */
int tn__pattern_new(tn__pattern **out, const char *text, tn_error *err);
void tn__pattern_free(tn__pattern *p);

/* Does it match? One that would exceed the limits does not. `groups` may be NULL. */
bool tn__pattern_match(const tn__pattern *p, tn_str subject, tn__groups *groups);

/* The number of the group of that name, from 0; -1 when there is none. */
int tn__pattern_group(const tn__pattern *p, tn_str name);

/* Is this text free of pattern characters? */
bool tn__pattern_is_literal(const char *text);

#endif
