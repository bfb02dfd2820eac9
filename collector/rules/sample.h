// SPDX-License-Identifier: Apache-2.0
/* What a rule yields at one moment: series with a number each. Labels are arena's or the owner's.
 */
#ifndef WEFT_COLLECTOR_RULES_SAMPLE_H
#define WEFT_COLLECTOR_RULES_SAMPLE_H

#include "lib/base/arena.h"
#include "lib/base/buffer.h"
#include "lib/codec/labels.h"

struct rule_sample {
    struct labels labels; /* the metric's name among them */
    double value;
    bool is_stale; /* the series ends here */
};

struct rule_samples {
    struct rule_sample *list;
    size_t count, capacity;
};

/* -1: no memory. */
int rule_samples_add(struct rule_samples *s, const struct rule_sample *sample);
void rule_samples_fini(struct rule_samples *s);
/* Sorts by labels; whether two are the same. */
bool rule_samples_sort(struct rule_samples *s);

/* `base` (NULL: none) without its metric's name, with the labels of `set` in place of its own; an
 * empty value removes. In `arena`. -1: no memory, or too many labels. */
int rule_labels_build(struct arena *arena, const struct labels *base, const struct label *set,
                      size_t set_count, struct labels *out);
/* A copy in one piece: free(). NULL: no memory. */
struct labels *rule_labels_copy(const struct labels *l);
uint64_t rule_labels_hash(const struct labels *l);

/* An encoded batch (lib/codec/batch.h) of samples of one moment, malloc'ed, in `out`. -1: no
 * memory.
 */
int rule_samples_encode(const struct rule_sample *list, size_t count, int64_t unix_ms,
                        struct buffer *out);

#endif
