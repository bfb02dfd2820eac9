// SPDX-License-Identifier: Apache-2.0
/* Sets of labels made of others, and tables of them by hash. What is made lies in the evaluation's
 * arena; strings stay where they are. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_LABELSET_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_LABELSET_H

#include "collector/query/promql/engine/evaluation.h"

/* A set that is being made; on the stack. */
enum { LABELSET_MAX = LABELS_MAX * 2 };
struct labelset {
    uint32_t count;
    struct label items[LABELSET_MAX];
};

void labelset_begin(struct labelset *s, const struct labels *from);
void labelset_keep(struct labelset *s, const struct promql_names *names);
void labelset_drop(struct labelset *s, const struct promql_names *names);
/* The metric's name, its type and its unit: what an operation makes wrong. */
void labelset_drop_metadata(struct labelset *s);
void labelset_drop_one(struct labelset *s, struct batch_str name);
/* An empty value removes. Fails when there are too many. */
void labelset_set(struct evaluation *ev, struct labelset *s, struct batch_str name,
                  struct batch_str value);
struct labels labelset_view(const struct labelset *s); /* of the set itself */
struct labels labelset_finish(struct evaluation *ev, const struct labelset *s);

struct batch_str metric_name(const struct labels *l);
struct batch_str str_of(const char *text);

uint64_t labels_hash(const struct labels *l);
/* The same on every machine and in Prometheus: xxHash64 of lengths and bytes. */
uint64_t labels_stable_hash(struct evaluation *ev, const struct labels *l);

/* Sets, each once, numbered as they come. */
struct labels_index {
    uint32_t count, capacity, mask;
    struct labels *keys;
    uint64_t *hashes;
    uint32_t *slots; /* number + 1 */
};

#define LABELS_INDEX_NONE UINT32_MAX

uint32_t labels_index_find(const struct labels_index *x, const struct labels *key);
/* The number of the set; it is copied (not its strings) when it is new. */
uint32_t labels_index_add(struct evaluation *ev, struct labels_index *x, const struct labels *key,
                          bool *added);

#endif
