// SPDX-License-Identifier: Apache-2.0
/* The appending thread's side of the store. */
#include <math.h>
#include <string.h>

#include "collector/series/append_internal.h"
#include "lib/base/clock.h"

/* Others get the lock after so many samples. */
enum { SLICE_SAMPLES = 512 };
enum { DELTA_INTERVAL_MS = 1000 };
/* Beyond it times could not be counted with; and a sum's are a little before and behind its
 * deltas'. */
#define TIME_MOST_MS (INT64_MAX / 4)

const char *series_refusal_name(enum series_refusal r)
{
    static const char *const names[SERIES_REFUSALS] = {
        "taken", "series_limit", "bad_labels", "too_old", "too_new", "bad_sample", "memory", "gone",
    };
    return r < SERIES_REFUSALS ? names[r] : "?";
}

enum series_refusal series_refuse(struct series_store *s, enum series_refusal why)
{
    s->stats.refused[why]++;
    return why;
}

/* ---- batches ----------------------------------------------------------------------------- */

static bool is_before(struct journal_position a, struct journal_position b)
{
    return a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset;
}

/* The number that a generation must have so that no deletion concerns what comes after it. */
static uint64_t number_for(const struct series_store *s, struct journal_position ledger_end)
{
    uint64_t number = 0;
    for (size_t i = 0; i < s->tombstones->count; i++) {
        const struct tombstone *t = &s->tombstones->items[i];
        if (is_before(t->ledger_end, ledger_end) && t->through >= number)
            number = t->through + 1;
    }
    return number;
}

/* Blocks shall not reach over the bounds of two hours, if that makes none of a moment. */
static bool reaches_bound(const struct series_store *s, const struct series_generation *g)
{
    return s->options.cut_after_ns && g->samples > 0 &&
           g->min_ms / SERIES_WINDOW_MS != g->max_ms / SERIES_WINDOW_MS &&
           clock_unix_ns() > g->begun_unix_ns + s->options.cut_after_ns / 8;
}

static struct series_generation *generation_for(struct series_store *s,
                                                struct journal_position ledger_end)
{
    struct series_generation *g = series_newest(s);
    uint64_t number = number_for(s, ledger_end);
    if (g && !g->sealed && g->number >= number &&
        series_generation_bytes(g) < series_memory_bytes(s) / s->generations &&
        !reaches_bound(s, g))
        return g;
    struct series_generation *fresh = series_next_generation(s, number);
    return fresh ? fresh : g && !g->sealed && g->number >= number ? g : NULL;
}

int series_store_begin(struct series_store *s, struct journal_position ledger_end)
{
    pthread_rwlock_wrlock(&s->lock);
    if (!generation_for(s, ledger_end)) {
        pthread_rwlock_unlock(&s->lock);
        return -1;
    }
    s->appending = true;
    s->batch_end = ledger_end;
    s->slice = 0;
    s->now_s = (uint32_t)(clock_monotonic_ms() / 1000);
    s->future_ms = s->options.future_ms
                       ? (int64_t)(clock_unix_ns() / 1000000) + s->options.future_ms
                       : INT64_MAX;
    return 0;
}

void series_store_commit(struct series_store *s)
{
    struct series_generation *g = series_newest(s);
    uint64_t now_ns = clock_unix_ns();
    g->ledger_end = s->batch_end;
    if (!g->begun)
        g->begun_unix_ns = now_ns;
    g->begun = true;
    s->appending = false;
    bool wanted = s->count > 1 ||
                  (s->options.cut_after_ns && now_ns - g->begun_unix_ns >= s->options.cut_after_ns);
    pthread_rwlock_unlock(&s->lock);
    if (wanted)
        wakeup_all(&s->wakeup);
}

static void give_way(struct series_store *s)
{
    if (++s->slice < SLICE_SAMPLES)
        return;
    s->slice = 0;
    pthread_rwlock_unlock(&s->lock);
    pthread_rwlock_wrlock(&s->lock);
}

/* ---- series ------------------------------------------------------------------------------ */

static series_ref ref_of(const struct head *h, uint32_t number)
{
    return (uint64_t)head_series(h, number)->version << 32 | number;
}

static struct head_series *series_of(struct series_store *s, series_ref ref)
{
    uint32_t number = (uint32_t)ref;
    if (ref == 0 || number >= s->head.numbers)
        return NULL;
    struct head_series *series = head_series(&s->head, number);
    return series->is_used && series->version == ref >> 32 ? series : NULL;
}

series_ref series_store_find(struct series_store *s, struct series_key key)
{
    uint32_t number = head_find(&s->head, key);
    if (number == HEAD_NO_SERIES)
        return 0;
    head_series(&s->head, number)->seen_s = s->now_s;
    return ref_of(&s->head, number);
}

static bool labels_are_good(const struct labels *l)
{
    if (l->count == 0 || l->count > LABELS_MAX)
        return false;
    for (uint32_t i = 0; i < l->count; i++) {
        const struct label *one = &l->items[i];
        if (one->name.length == 0 || one->name.length > LABEL_NAME_BYTES_MAX ||
            one->value.length == 0 || one->value.length > LABEL_VALUE_BYTES_MAX ||
            (i > 0 && batch_str_compare(l->items[i - 1].name, one->name) >= 0))
            return false;
    }
    return true;
}

/* Counts the metric among those that were refused; without a place for it, all others go down. */
static void count_refused(struct series_store *s, const struct labels *labels)
{
    struct batch_str metric = labels_get_text(labels, LABEL_METRIC);
    int length =
        metric.length < SERIES_METRIC_NAME_KEPT ? (int)metric.length : SERIES_METRIC_NAME_KEPT - 1;
    struct refused_metric *free_place = NULL;
    for (int i = 0; i < REFUSED_METRICS; i++) {
        struct refused_metric *r = &s->refused[i];
        if (r->count == 0)
            free_place = r;
        else if ((int)strlen(r->name) == length &&
                 memcmp(r->name, metric.bytes, (size_t)length) == 0) {
            r->count++;
            return;
        }
    }
    if (free_place) {
        memcpy(free_place->name, length ? metric.bytes : "", (size_t)length);
        free_place->name[length] = '\0';
        free_place->count = 1;
        return;
    }
    for (int i = 0; i < REFUSED_METRICS; i++)
        s->refused[i].count--;
}

series_ref series_store_add(struct series_store *s, const struct labels *labels,
                            struct series_key key, enum series_refusal *refusal)
{
    enum series_refusal why = SERIES_TAKEN;
    uint32_t number = HEAD_NO_SERIES;
    if (!labels_are_good(labels))
        why = SERIES_REFUSED_LABELS;
    else if (s->options.series_limit && head_count(&s->head) >= s->options.series_limit)
        why = SERIES_REFUSED_LIMIT;
    else if ((number = head_add(&s->head, labels, key)) == HEAD_NO_SERIES)
        why = SERIES_REFUSED_MEMORY;
    if (why == SERIES_REFUSED_LIMIT)
        count_refused(s, labels);
    if (refusal)
        *refusal = why;
    if (why != SERIES_TAKEN) {
        series_refuse(s, why);
        return 0;
    }
    head_series(&s->head, number)->seen_s = s->now_s;
    return ref_of(&s->head, number);
}

series_ref series_store_resolve(struct series_store *s, const struct labels *labels,
                                enum series_refusal *refusal)
{
    struct series_key key = series_key_of(labels);
    series_ref ref = series_store_find(s, key);
    if (ref) {
        if (refusal)
            *refusal = SERIES_TAKEN;
        return ref;
    }
    return series_store_add(s, labels, key, refusal);
}

/* ---- what a sample says ------------------------------------------------------------------ */

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

enum series_refusal series_taken(struct series_store *s, struct head_series *series, int error)
{
    if (error != 0)
        return series_refuse(s, SERIES_REFUSED_MEMORY);
    series->seen_s = s->now_s;
    s->stats.samples++;
    return SERIES_TAKEN;
}

bool series_is_too_old(const struct series_store *s, int64_t unix_ms)
{
    return s->options.out_of_order_ms && s->newest_ms > INT64_MIN + s->options.out_of_order_ms &&
           unix_ms < s->newest_ms - s->options.out_of_order_ms;
}

static enum series_refusal append_float(struct series_store *s, struct head_series *series,
                                        uint32_t number, int64_t unix_ms, double value)
{
    struct sample p = {.unix_ms = unix_ms, .value = value};
    if (series_is_too_old(s, unix_ms))
        return series_refuse(s, SERIES_REFUSED_OLD);
    if (!series->has_fractions && !stream_is_whole(value))
        series->has_fractions = true;
    if (!series->has_samples || unix_ms > series->last_ms) {
        int error = series_append_front(s, series, number, &p);
        if (error == 0 && !sample_is_stale(value)) {
            series->last_value = value;
            series->is_histogram = false;
            series->runs->counts = false;
        }
        return series_taken(s, series, error);
    }
    if (unix_ms == series->last_ms && !series->is_histogram &&
        same_bits(series->last_value, value)) {
        s->stats.duplicates++;
        return series_taken(s, series, 0);
    }
    return series_taken(s, series, series_append_late(s, series, number, &p));
}

/* A series of histograms ends as one: so what it goes on with is in the same stream. */
static enum series_refusal append_stale(struct series_store *s, struct head_series *series,
                                        uint32_t number, int64_t unix_ms)
{
    const uint64_t bits = SAMPLE_STALE_BITS;
    struct sample p = {.unix_ms = unix_ms, .is_histogram = series->is_histogram};
    memcpy(&p.value, &bits, sizeof p.value);
    if (series_is_too_old(s, unix_ms))
        return series_refuse(s, SERIES_REFUSED_OLD);
    if (!series->has_samples || unix_ms > series->last_ms)
        return series_taken(s, series, series_append_front(s, series, number, &p));
    p.is_histogram = false;
    return series_taken(s, series, series_append_late(s, series, number, &p));
}

/* When a counter that was never seen had counted nothing yet. */
int64_t series_delta_begin(const struct series_store *s, const struct series_sample *sample)
{
    int64_t interval =
        s->options.delta_interval_ms ? s->options.delta_interval_ms : DELTA_INTERVAL_MS;
    return sample->begin_ms && sample->begin_ms < sample->unix_ms ? sample->begin_ms
                                                                  : sample->unix_ms - interval;
}

/* A delta that comes late is counted at the next moment: time does not go back in a sum. */
int64_t series_delta_time(struct series_store *s, const struct head_series *series, int64_t unix_ms)
{
    if (!series->has_samples || unix_ms > series->last_ms)
        return unix_ms;
    s->stats.late++;
    return series->last_ms + 1;
}

static enum series_refusal append_delta(struct series_store *s, struct head_series *series,
                                        uint32_t number, const struct series_sample *sample)
{
    struct sample p = {.unix_ms = sample->unix_ms, .value = sample->value};
    if (!(sample->value >= 0) || isinf(sample->value))
        return series_refuse(s, SERIES_REFUSED_SAMPLE);
    if (series->has_samples && !series->is_histogram)
        p.value += series->last_value;
    if (!isfinite(p.value)) /* beyond what a double holds, or behind an infinity that was set */
        return series_refuse(s, SERIES_REFUSED_SAMPLE);
    if (!series->has_samples) {
        struct sample zero = {.unix_ms = series_delta_begin(s, sample)};
        if (series_append_front(s, series, number, &zero) != 0)
            return series_refuse(s, SERIES_REFUSED_MEMORY);
    }
    p.unix_ms = series_delta_time(s, series, sample->unix_ms);
    if (!series->has_fractions && !stream_is_whole(p.value))
        series->has_fractions = true;
    int error = series_append_front(s, series, number, &p);
    if (error == 0) {
        series->last_value = p.value;
        series->runs->counts = true;
        series->is_histogram = false;
    }
    return series_taken(s, series, error);
}

/* ---- the way in -------------------------------------------------------------------------- */

enum series_refusal series_store_append(struct series_store *s, series_ref ref,
                                        const struct series_sample *sample)
{
    struct head_series *series = series_of(s, ref);
    uint32_t number = (uint32_t)ref;
    if (!series)
        return series_refuse(s, SERIES_REFUSED_GONE);
    if (sample->unix_ms > s->future_ms || sample->unix_ms > TIME_MOST_MS)
        return series_refuse(s, SERIES_REFUSED_FUTURE);
    if (sample->unix_ms < -TIME_MOST_MS)
        return series_refuse(s, SERIES_REFUSED_OLD);
    bool is_histogram = sample->kind == SAMPLE_HISTOGRAM || sample->kind == SAMPLE_HISTOGRAM_DELTA;
    if (is_histogram && (!sample->histogram || !series_histogram_is_good(sample->histogram)))
        return series_refuse(s, SERIES_REFUSED_SAMPLE);
    enum series_refusal result = SERIES_REFUSED_SAMPLE;
    switch (sample->kind) {
    case SAMPLE_VALUE:
        result = append_float(s, series, number, sample->unix_ms, sample->value);
        break;
    case SAMPLE_DELTA:
        result = append_delta(s, series, number, sample);
        break;
    case SAMPLE_HISTOGRAM:
        result = series_append_histogram(s, series, number, sample->unix_ms, sample->histogram);
        break;
    case SAMPLE_HISTOGRAM_DELTA:
        result = series_append_histogram_delta(s, series, number, sample);
        break;
    case SAMPLE_STALE:
        result = append_stale(s, series, number, sample->unix_ms);
        break;
    default:
        series_refuse(s, SERIES_REFUSED_SAMPLE);
    }
    give_way(s);
    return result;
}

size_t series_store_append_floats(struct series_store *s, series_ref ref, enum sample_kind kind,
                                  const int64_t *unix_ms, const double *value, size_t count)
{
    size_t taken_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct series_sample one = {.unix_ms = unix_ms[i], .kind = kind, .value = value[i]};
        taken_count += series_store_append(s, ref, &one) == SERIES_TAKEN;
    }
    return taken_count;
}

void series_store_refuse(struct series_store *s, enum series_refusal why, uint64_t count)
{
    s->stats.refused[why] += count;
}

void series_store_miss(struct series_store *s, uint64_t samples)
{
    pthread_rwlock_wrlock(&s->lock);
    s->stats.refused[SERIES_REFUSED_MEMORY] += samples;
    pthread_rwlock_unlock(&s->lock);
}

void series_store_exemplar(struct series_store *s, series_ref ref, const struct exemplar *e)
{
    if (series_of(s, ref))
        (void)exemplar_ring_add(&s->exemplars, (uint32_t)ref, (uint32_t)(ref >> 32), e);
}

void series_store_describe(struct series_store *s, const struct series_metadata *metadata)
{
    metadata_describe(&s->metadata, metadata);
}
