// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"
#include "lib/model/exphist.h"

void table_init(struct table *t, enum traceql_function function, uint32_t key_count, uint32_t steps,
                uint32_t exemplar_slots)
{
    *t = (struct table){.function = function,
                        .key_count = key_count,
                        .steps = steps,
                        .exemplar_slots = exemplar_slots};
    arena_init(&t->arena, 16 << 10);
}

void table_fini(struct table *t)
{
    arena_fini(&t->arena);
}

static void *take(struct table *t, size_t count, size_t bytes)
{
    size_t total = count * bytes; /* far from an overflow: counts have 32 bits */
    t->over_limit |= t->limit_bytes && t->arena.total_bytes + total > t->limit_bytes;
    void *got = t->over_limit ? NULL : arena_calloc(&t->arena, 1, total ? total : 1);
    if (!got)
        t->failed = true;
    return got;
}

/* ---- series ------------------------------------------------------------------------------ */

static uint64_t hash_key(const struct traceql_value *key, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = hash_words(hash, value_hash(&key[i]));
    return hash;
}

static bool same_key(const struct traceql_value *a, const struct traceql_value *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!value_same(&a[i], &b[i]))
            return false;
    }
    return true;
}

static bool grow(struct table *t)
{
    uint32_t more = t->capacity ? t->capacity * 2 : 16;
    struct table_series *bigger = take(t, more, sizeof *bigger);
    uint32_t *slots = take(t, (size_t)more * 2, sizeof *slots);
    if (!bigger || !slots)
        return false;
    if (t->count)
        memcpy(bigger, t->series, t->count * sizeof *bigger);
    t->series = bigger;
    t->capacity = more;
    t->slots = slots;
    t->mask = more * 2 - 1;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = (uint32_t)bigger[i].hash & t->mask;
        while (slots[at])
            at = (at + 1) & t->mask;
        slots[at] = i + 1;
    }
    return true;
}

static bool is_bucketed(const struct table *t)
{
    return t->function == TRACEQL_QUANTILE_OVER_TIME || t->function == TRACEQL_HISTOGRAM_OVER_TIME;
}

static bool has_extra(const struct table *t)
{
    return t->function == TRACEQL_AVG_OVER_TIME || t->function == TRACEQL_SUM_OVER_TIME;
}

static bool make_series(struct table *t, struct table_series *s, const struct traceql_value *key)
{
    s->key = take(t, t->key_count, sizeof *s->key);
    s->sum = is_bucketed(t) ? NULL : take(t, t->steps, sizeof *s->sum);
    s->extra = has_extra(t) ? take(t, t->steps, sizeof *s->extra) : NULL;
    s->exemplars = t->exemplar_slots ? take(t, t->exemplar_slots, sizeof *s->exemplars) : NULL;
    for (uint32_t i = 0; !t->failed && i < t->key_count; i++) {
        s->key[i] = key[i];
        if (key[i].type == TRACEQL_STRING) {
            s->key[i].text.bytes = arena_copy(&t->arena, key[i].text.bytes, key[i].text.length);
            t->failed |= !s->key[i].text.bytes;
        }
    }
    bool extreme = t->function == TRACEQL_MIN_OVER_TIME || t->function == TRACEQL_MAX_OVER_TIME;
    for (uint32_t i = 0; !t->failed && extreme && i < t->steps; i++)
        s->sum[i] = NAN;
    return !t->failed;
}

uint32_t table_find(struct table *t, const struct traceql_value *key)
{
    uint64_t hash = hash_key(key, t->key_count);
    if (t->failed || (t->count == t->capacity && !grow(t)))
        return TABLE_NONE;
    uint32_t at = (uint32_t)hash & t->mask;
    for (; t->slots[at]; at = (at + 1) & t->mask) {
        const struct table_series *s = &t->series[t->slots[at] - 1];
        if (s->hash == hash && same_key(s->key, key, t->key_count))
            return t->slots[at] - 1;
    }
    struct table_series made = {.hash = hash};
    if (!make_series(t, &made, key))
        return TABLE_NONE;
    t->series[t->count] = made;
    t->slots[at] = ++t->count;
    return t->count - 1;
}

/* ---- buckets ----------------------------------------------------------------------------- */

enum { BUCKET_MIDDLE = 1 << 20 };

int32_t bucket_of(double value)
{
    if (value == 0)
        return 0;
    int32_t bucket = BUCKET_MIDDLE + exphist_index(fabs(value), BUCKET_SCALE);
    return value < 0 ? -bucket : bucket;
}

int32_t table_doubling(int32_t bucket)
{
    return (abs(bucket) - BUCKET_MIDDLE) >> BUCKET_SCALE;
}

double bucket_value(int32_t bucket, double part)
{
    if (bucket == 0)
        return 0;
    int32_t index = abs(bucket) - BUCKET_MIDDLE;
    double high = exphist_upper_bound(index, BUCKET_SCALE);
    double low = exphist_upper_bound(index - 1, BUCKET_SCALE);
    return bucket > 0 ? low * pow(high / low, part) : -(high * pow(low / high, part));
}

static uint64_t hash_bucket(const struct table_bucket *b)
{
    return hash_words((uint64_t)b->series << 32 | b->step, (uint64_t)(uint32_t)b->bucket);
}

static bool grow_buckets(struct table *t)
{
    uint32_t more = t->bucket_capacity ? t->bucket_capacity * 2 : 256;
    struct table_bucket *bigger = take(t, more, sizeof *bigger);
    uint32_t *slots = take(t, (size_t)more * 2, sizeof *slots);
    if (!bigger || !slots)
        return false;
    if (t->bucket_count)
        memcpy(bigger, t->buckets, t->bucket_count * sizeof *bigger);
    t->buckets = bigger;
    t->bucket_capacity = more;
    t->bucket_slots = slots;
    t->bucket_mask = more * 2 - 1;
    for (uint32_t i = 0; i < t->bucket_count; i++) {
        uint32_t at = (uint32_t)hash_bucket(&bigger[i]) & t->bucket_mask;
        while (slots[at])
            at = (at + 1) & t->bucket_mask;
        slots[at] = i + 1;
    }
    return true;
}

static void add_bucket(struct table *t, struct table_bucket b)
{
    if (t->failed || (t->bucket_count == t->bucket_capacity && !grow_buckets(t)))
        return;
    uint32_t at = (uint32_t)hash_bucket(&b) & t->bucket_mask;
    for (; t->bucket_slots[at]; at = (at + 1) & t->bucket_mask) {
        struct table_bucket *known = &t->buckets[t->bucket_slots[at] - 1];
        if (known->series == b.series && known->step == b.step && known->bucket == b.bucket) {
            known->count += b.count;
            return;
        }
    }
    t->buckets[t->bucket_count] = b;
    t->bucket_slots[at] = ++t->bucket_count;
}

static int by_place(const void *left, const void *right)
{
    const struct table_bucket *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

void table_sort_buckets(struct table *t)
{
    if (t->bucket_count > 1)
        qsort(t->buckets, t->bucket_count, sizeof *t->buckets, by_place);
    t->bucket_slots = NULL; /* they point elsewhere now: nothing can be added any more */
    t->bucket_capacity = t->bucket_count;
}

/* ---- adding ------------------------------------------------------------------------------ */

void table_add(struct table *t, uint32_t series, uint32_t step, double value)
{
    struct table_series *s = &t->series[series];
    switch (t->function) {
    case TRACEQL_RATE:
    case TRACEQL_COUNT_OVER_TIME:
        s->sum[step]++;
        break;
    case TRACEQL_SUM_OVER_TIME:
    case TRACEQL_AVG_OVER_TIME:
        s->sum[step] += value;
        s->extra[step]++;
        break;
    case TRACEQL_MIN_OVER_TIME:
        s->sum[step] = fmin(s->sum[step], value);
        break;
    case TRACEQL_MAX_OVER_TIME:
        s->sum[step] = fmax(s->sum[step], value);
        break;
    default:
        if (isfinite(value))
            add_bucket(t, (struct table_bucket){series, step, bucket_of(value), 1});
    }
}

/* The greatest value of each slot stays, so the answer does not depend on the order. */
static bool is_better(const struct traceql_exemplar *a, const struct traceql_exemplar *b)
{
    if (b->unix_ns == 0 || a->value != b->value)
        return b->unix_ns == 0 || a->value > b->value;
    if (a->trace_id.hi != b->trace_id.hi || a->trace_id.lo != b->trace_id.lo)
        return a->trace_id.hi != b->trace_id.hi ? a->trace_id.hi < b->trace_id.hi
                                                : a->trace_id.lo < b->trace_id.lo;
    return a->span_id < b->span_id;
}

void table_offer(struct table *t, uint32_t series, uint32_t step,
                 const struct traceql_exemplar *exemplar)
{
    uint32_t slot = (uint32_t)((uint64_t)step * t->exemplar_slots / t->steps);
    struct traceql_exemplar *held = &t->series[series].exemplars[slot];
    if (is_better(exemplar, held))
        *held = *exemplar;
}

/* ---- merging ----------------------------------------------------------------------------- */

static void merge_steps(struct table *to, struct table_series *s, const struct table_series *from)
{
    for (uint32_t i = 0; s->sum && i < to->steps; i++) {
        if (to->function == TRACEQL_MIN_OVER_TIME)
            s->sum[i] = fmin(s->sum[i], from->sum[i]);
        else if (to->function == TRACEQL_MAX_OVER_TIME)
            s->sum[i] = fmax(s->sum[i], from->sum[i]);
        else
            s->sum[i] += from->sum[i];
        if (s->extra)
            s->extra[i] += from->extra[i];
    }
    for (uint32_t i = 0; i < to->exemplar_slots; i++) {
        if (from->exemplars[i].unix_ns != 0 && is_better(&from->exemplars[i], &s->exemplars[i]))
            s->exemplars[i] = from->exemplars[i];
    }
}

void table_merge(struct table *to, const struct table *from)
{
    uint32_t *places = take(to, from->count, sizeof *places);
    for (uint32_t i = 0; places && i < from->count; i++) {
        places[i] = table_find(to, from->series[i].key);
        if (places[i] == TABLE_NONE)
            return;
        merge_steps(to, &to->series[places[i]], &from->series[i]);
    }
    for (uint32_t i = 0; places && i < from->bucket_count; i++) {
        struct table_bucket b = from->buckets[i];
        b.series = places[b.series];
        add_bucket(to, b);
    }
    to->failed |= from->failed;
}
