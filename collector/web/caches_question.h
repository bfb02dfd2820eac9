// SPDX-License-Identifier: Apache-2.0
/* What the routes about caches have in common: which caches, and over what time. */
#ifndef WEFT_COLLECTOR_WEB_CACHES_QUESTION_H
#define WEFT_COLLECTOR_WEB_CACHES_QUESTION_H

#include "collector/caches/sum.h"
#include "collector/web/api.h"

/* The parameters host, protocol, range, start and end; those in `others` are the route's own.
 * False: *reply says why. The strings are the call's. */
bool caches_question(const struct api_call *call, const char *others, struct caches_filter *filter,
                     struct reply *reply);

/* Fields: the time that was asked for. */
void caches_put_time(struct json_writer *w, const struct caches_filter *filter);
/* A field "key", and "escaped" and "length" where the whole key is not what it shows. */
void caches_put_key(struct json_writer *w, const struct window_entry *e);
/* For an error of caches_list and caches_windows. */
void caches_unreadable(struct reply *reply, int error);

#endif
