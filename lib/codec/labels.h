// SPDX-License-Identifier: Apache-2.0
/* The labels that name a series, as in Prometheus: pairs of a name and a value, the metric's own
 * name among them as "__name__".
 *
 * A set of labels is sorted by name, bytewise; no name stands twice; no value is empty (a label
 * with an empty value and one that is absent are the same). Strings point into what holds them. */
#ifndef WEFT_CODEC_LABELS_H
#define WEFT_CODEC_LABELS_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/codec/batch_str.h"

#define LABEL_METRIC "__name__"

/* Beyond these a series is refused, by whoever meets it first. */
enum { LABELS_MAX = 128, LABEL_NAME_BYTES_MAX = 1024, LABEL_VALUE_BYTES_MAX = 65535 };

struct label {
    struct batch_str name, value;
};

struct labels {
    const struct label *items;
    uint32_t count;
};

/* The label's value; empty where it is absent. */
struct batch_str labels_get(const struct labels *l, struct batch_str name);

static inline struct batch_str labels_get_text(const struct labels *l, const char *name)
{
    return labels_get(l, (struct batch_str){name, (uint32_t)strlen(name)});
}

/* With its strings, in `arena`. False: no memory. */
bool labels_copy(struct arena *arena, const struct labels *from, struct labels *to);

bool labels_equal(const struct labels *a, const struct labels *b);
/* The order in which Prometheus sorts series: label by label, name before value; a set that is the
 * beginning of another first. */
int labels_compare(const struct labels *a, const struct labels *b);
/* For use with qsort over struct label: by name. */
int label_compare_names(const void *a, const void *b);

#endif
