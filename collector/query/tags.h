// SPDX-License-Identifier: Apache-2.0
/* What can be asked for: the keys of attributes, and the values of one, for completion. Found in
 * the newest units of a scan, within bounds of time and number: an answer says whether it is all.
 */
#ifndef WEFT_COLLECTOR_QUERY_TAGS_H
#define WEFT_COLLECTOR_QUERY_TAGS_H

#include "collector/query/scan.h"

enum tag_scope { TAG_RESOURCE, TAG_SPAN, TAG_EVENT, TAG_LINK, TAG_SCOPES };

struct tag_limits {
    size_t names;                   /* to list at most, in each scope */
    uint64_t deadline_monotonic_ns; /* units are gone through until then */
};

struct tag_value {
    uint8_t type;          /* enum value_type */
    uint64_t bits;         /* INT, DOUBLE, BOOL: as in batch_attribute */
    struct batch_str text; /* STRING, BYTES */
    uint64_t count;        /* of spans (processes for resource attributes) seen with it */
};

struct tags {
    struct arena arena;
    struct batch_str *keys[TAG_SCOPES]; /* sorted; of tags_list */
    uint32_t key_count[TAG_SCOPES];
    struct tag_value *values; /* the most frequent first; of tags_values */
    uint32_t value_count;
    bool all; /* everything was gone through, and listed */
};

/* -1: no memory; then there is nothing to free. */
int tags_list(struct scan *s, const struct tag_limits *limits, struct tags *tags);
int tags_values(struct scan *s, enum tag_scope scope, const char *key,
                const struct tag_limits *limits, struct tags *tags);
/* Of the names of spans, the services, or the status messages: `what` is "name", "service" or
 * "statusMessage". */
int tags_intrinsic(struct scan *s, const char *what, const struct tag_limits *limits,
                   struct tags *tags);
void tags_fini(struct tags *tags);

#endif
