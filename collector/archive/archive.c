// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/archive.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/archive/index.h"
#include "collector/archive/load.h"
#include "collector/archive/merged.h"
#include "collector/archive/round.h"
#include "collector/archive/strings.h"
#include "collector/archive/undo.h"
#include "collector/query/promql/promql.h"
#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"

enum {
    ROUND_S = 60,       /* how often rules are evaluated: as many steps become one write */
    ARRIVAL_S = 30,     /* how long samples may take until a moment is evaluated */
    CHUNK_STEPS = 360,  /* of one evaluation, when there is much to catch up */
    PAUSE_MOST_S = 600, /* between attempts while something fails */
    LOOK_MS = 200,      /* for being ready */
    EVALUATION_S = 30,
    EVALUATION_BYTES = 64 << 20,
    PATH_BYTES = 4096,
};

struct archive {
    struct archive_options options;
    struct archive_plan *plan; /* the writing thread's */
    struct archive_plan *next; /* under the lock: what takes its place */
    struct archive_index index;
    struct archive_undo undo;
    struct archive_entries entries;
    struct merged_source merged;
    atomic_ullong samples, refused, failures;
    atomic_bool is_failing, stopping;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool runs;
    struct arena scratch; /* of one evaluation */
    char error[300];      /* under the lock, as is the next: what archive_read_stats tells */
    char refused_rule[200];
};

/* ---- what is told ------------------------------------------------------------------------ */

static void tell_error(struct archive *a, const char *what)
{
    pthread_mutex_lock(&a->lock);
    snprintf(a->error, sizeof a->error, "%s", what);
    pthread_mutex_unlock(&a->lock);
}

static void tell_refused(struct archive *a, const struct archive_rule *rule)
{
    atomic_fetch_add(&a->refused, 1);
    pthread_mutex_lock(&a->lock);
    snprintf(a->refused_rule, sizeof a->refused_rule, "%s", rule->key);
    pthread_mutex_unlock(&a->lock);
}

/* ---- one series -------------------------------------------------------------------------- */

static void path_of(const struct archive *a, const char *file, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", a->options.directory, file);
}

/* The labels under which the rule's series is kept; *out is in the scratch arena. */
static int name_series(struct archive *a, const struct archive_rule *rule,
                       const struct labels *from, struct labels *out)
{
    struct label *items = arena_calloc(&a->scratch, from->count + 1U, sizeof *items);
    uint32_t count = 0;
    if (!items)
        return -1;
    if (rule->record)
        items[count++] = (struct label){{LABEL_METRIC, sizeof LABEL_METRIC - 1},
                                        {rule->record, (uint32_t)strlen(rule->record)}};
    for (uint32_t i = 0; i < from->count; i++)
        if (!rule->record || !batch_str_is(from->items[i].name, LABEL_METRIC))
            items[count++] = from->items[i];
    qsort(items, count, sizeof *items, label_compare_names);
    *out = (struct labels){items, count};
    return 0;
}

/* NULL: refused (*is_fatal false), or the disk or memory, which is tried again. */
static struct archive_entry *enter(struct archive *a, const struct archive_rule *rule,
                                   const struct labels *labels, int64_t begin_s, bool *is_fatal)
{
    char file[ENTRY_FILE_BYTES], path[PATH_BYTES], why[300];
    archive_entry_file(labels, file);
    struct archive_entry *entry = archive_entries_find(&a->entries, file);
    if (entry)
        return entry;
    if (labels->count == 0 || labels->count > LABELS_MAX) {
        tell_refused(a, rule);
        LOG_WARN_EVERY("archive: \"%s\" yields a series with %u labels, which is not kept",
                       rule->key, labels->count);
        return NULL;
    }
    if (a->entries.count >= a->options.files_most) {
        tell_refused(a, rule);
        LOG_WARN_EVERY("archive: \"%s\" yields more series than are kept: there are %u files "
                       "already, see archive-files",
                       rule->key, a->options.files_most);
        return NULL;
    }
    *is_fatal = true;
    path_of(a, file, path);
    if (round_create(path, begin_s, why, sizeof why) != 0) {
        tell_error(a, why);
        LOG_WARN_EVERY("archive: %s", why);
        return NULL;
    }
    bool is_raw = !rule->record && labels_get_text(labels, LABEL_METRIC).length > 0;
    if (archive_index_add(&a->index, file, is_raw, begin_s, labels) != 0) {
        tell_error(a, "its index cannot be written");
        return NULL;
    }
    entry = archive_entries_add(&a->entries, labels, is_raw, begin_s, round_last_s(path));
    *is_fatal = entry == NULL;
    return entry;
}

static int write_series(struct archive *a, struct archive_entry *entry,
                        const struct promql_series *s)
{
    char path[PATH_BYTES], why[300];
    struct round_sample *list = arena_calloc(&a->scratch, s->count + 1, sizeof *list);
    if (!list)
        return -1;
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!s->histogram || !s->histogram[i])
            list[count++] = (struct round_sample){s->unix_ms[i] / 1000, s->value[i]};
    int64_t before_s = atomic_load(&entry->last_s), last_s = before_s;
    path_of(a, entry->file, path);
    pthread_mutex_lock(&entry->lock);
    int result = archive_undo_begin(&a->undo, entry->file);
    if (result == 0) {
        result = round_write(path, list, count, &last_s, why, sizeof why);
        archive_undo_end(&a->undo);
    } else {
        snprintf(why, sizeof why, "%s: it cannot be read, or undo cannot be written", entry->file);
    }
    pthread_mutex_unlock(&entry->lock);
    atomic_store(&entry->last_s, last_s);
    for (size_t i = 0; i < count; i++)
        if (list[i].unix_s > before_s && list[i].unix_s <= last_s)
            atomic_fetch_add_explicit(&a->samples, 1, memory_order_relaxed);
    if (result != 0) {
        tell_error(a, why);
        LOG_WARN_EVERY("archive: %s", why);
    }
    return result;
}

static bool has_floats(const struct promql_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->histogram || !s->histogram[i])
            return true;
    return false;
}

/* ---- one rule ---------------------------------------------------------------------------- */

/* What can be written is; -1: something has to be written again. */
static int write_result(struct archive *a, const struct archive_rule *rule,
                        const struct promql_result *r)
{
    int result = 0;
    for (size_t i = 0; i < r->series_count; i++) {
        struct labels labels;
        bool is_fatal = false;
        if (!has_floats(&r->series[i])) {
            tell_refused(a, rule);
            LOG_WARN_EVERY("archive: \"%s\" yields histograms, which are not kept", rule->expr);
            continue;
        }
        int failed = name_series(a, rule, &r->series[i].labels, &labels);
        struct archive_entry *entry =
            failed == 0
                ? enter(a, rule, &labels, r->series[i].unix_ms[0] / 1000 - ROUND_STEP_S, &is_fatal)
                : NULL;
        if (failed != 0 || is_fatal || (entry && write_series(a, entry, &r->series[i]) != 0))
            result = -1;
    }
    return result;
}

/* Whether the same would come of it again: then it is passed by. */
static bool is_hopeless(enum promql_status status)
{
    return status == PROMQL_FAILED || status == PROMQL_LIMIT || status == PROMQL_UNREADABLE;
}

static int evaluate(struct archive *a, const struct archive_rule *rule, int64_t from_s,
                    int64_t to_s)
{
    struct promql_result r;
    struct promql_options options = {
        .start_ms = from_s * 1000,
        .end_ms = to_s * 1000,
        .step_ms = ROUND_STEP_S * 1000,
        .memory_bytes_max = EVALUATION_BYTES,
        .deadline_ns = (uint64_t)(clock_monotonic_ms() + EVALUATION_S * 1000) * 1000000,
        .stopped = &a->stopping,
    };
    int result = -1;
    enum promql_status status = promql_evaluate(rule->query, a->options.source, &options, &r);
    if (status == PROMQL_OK) {
        result = write_result(a, rule, &r);
    } else if (status != PROMQL_STOPPED) {
        const char *why = r.message ? r.message : "no answer";
        tell_error(a, why);
        LOG_WARN_EVERY("archive: \"%s\": %s", rule->key, why);
        result = is_hopeless(status) ? 0 : -1;
        atomic_fetch_add(&a->failures, is_hopeless(status));
    }
    promql_result_fini(&r);
    arena_reset(&a->scratch);
    return result;
}

static int64_t next_step_s(int64_t unix_s)
{
    return (unix_s + ROUND_STEP_S - 1) / ROUND_STEP_S * ROUND_STEP_S;
}

/* From where the rule is, but from no earlier than the store has anything. */
static int take_rule(struct archive *a, const struct archive_rule *rule, int64_t until_s,
                     int64_t oldest_s)
{
    int64_t from_s = archive_index_done_s(&a->index, rule->key) + ROUND_STEP_S;
    if (from_s < next_step_s(oldest_s))
        from_s = next_step_s(oldest_s);
    while (from_s <= until_s && !atomic_load(&a->stopping)) {
        int64_t to_s = from_s + (int64_t)(CHUNK_STEPS - 1) * ROUND_STEP_S;
        to_s = to_s < until_s ? to_s : until_s;
        if (evaluate(a, rule, from_s, to_s) != 0 ||
            archive_index_set_done(&a->index, rule->key, to_s) != 0)
            return -1;
        from_s = to_s + ROUND_STEP_S;
    }
    return 0;
}

void archive_replace(struct archive *a, struct archive_plan *plan)
{
    pthread_mutex_lock(&a->lock);
    struct archive_plan *before = a->next;
    a->next = plan;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    archive_plan_destroy(&before);
}

static void take_next_plan(struct archive *a)
{
    pthread_mutex_lock(&a->lock);
    struct archive_plan *next = a->next;
    a->next = NULL;
    pthread_mutex_unlock(&a->lock);
    if (!next)
        return;
    archive_plan_destroy(&a->plan);
    a->plan = next;
}

int archive_round(struct archive *a, int64_t now_s)
{
    int result = 0;
    take_next_plan(a);
    int64_t oldest_ms = a->options.oldest_ms(a->options.context);
    int64_t until_s = (now_s - ARRIVAL_S) / ROUND_STEP_S * ROUND_STEP_S;
    for (size_t i = 0; i < a->plan->count && oldest_ms > 0 && !atomic_load(&a->stopping); i++)
        if (take_rule(a, &a->plan->rules[i], until_s, oldest_ms / 1000) != 0) {
            atomic_fetch_add(&a->failures, 1);
            result = -1;
        }
    atomic_store(&a->is_failing, result != 0);
    return result;
}

/* ---- the thread -------------------------------------------------------------------------- */

static void wait_ms(struct archive *a, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    pthread_mutex_lock(&a->lock);
    while (!atomic_load(&a->stopping) && !a->next &&
           condition_wait(&a->changed, &a->lock, until_ms))
        ;
    pthread_mutex_unlock(&a->lock);
}

static bool is_replaced(struct archive *a)
{
    pthread_mutex_lock(&a->lock);
    bool replaced = a->next != NULL;
    pthread_mutex_unlock(&a->lock);
    return replaced;
}

static void *run(void *context)
{
    struct archive *a = context;
    int64_t pause_s = ROUND_S;
    while (a->options.ready && !atomic_load(&a->stopping) &&
           !a->options.ready(a->options.context)) {
        take_next_plan(a);
        wait_ms(a, LOOK_MS);
    }
    while (!atomic_load(&a->stopping)) {
        bool done = archive_round(a, (int64_t)(clock_unix_ns() / 1000000000u)) == 0;
        pause_s = done ? ROUND_S : pause_s * 2;
        pause_s = pause_s < PAUSE_MOST_S ? pause_s : PAUSE_MOST_S;
        wait_ms(a, pause_s * 1000);
        pause_s = is_replaced(a) ? ROUND_S : pause_s;
    }
    return NULL;
}

int archive_start(struct archive *a)
{
    a->runs = pthread_create(&a->thread, NULL, run, a) == 0;
    return a->runs ? 0 : -1;
}

void archive_close(struct archive *a)
{
    pthread_mutex_lock(&a->lock);
    atomic_store(&a->stopping, true);
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void init_waiting(struct archive *a)
{
    pthread_mutex_init(&a->lock, NULL);
    condition_init(&a->changed);
}

struct archive *archive_open(const struct archive_options *options, struct archive_plan *plan,
                             char *why, size_t why_size)
{
    struct archive *a = calloc(1, sizeof *a);
    if (!a) {
        snprintf(why, why_size, "no memory");
        archive_plan_destroy(&plan);
        return NULL;
    }
    a->options = *options;
    a->plan = plan;
    a->merged = (struct merged_source){.store = options->source,
                                       .entries = &a->entries,
                                       .directory = options->directory,
                                       .oldest_ms = options->oldest_ms,
                                       .context = options->context};
    merged_source_init(&a->merged);
    archive_entries_init(&a->entries);
    arena_init(&a->scratch, 64 << 10);
    init_waiting(a);
    if (archive_index_open(&a->index, options->directory, why, why_size) != 0) {
        archive_destroy(&a);
        return NULL;
    }
    archive_undo_open(&a->undo, options->directory); /* before any file is looked at */
    int64_t now_s = options->now_s ? options->now_s : (int64_t)(clock_unix_ns() / 1000000000u);
    if (archive_load(&a->entries, &a->index, options->directory, now_s) != 0) {
        snprintf(why, why_size, "archive %s: its index cannot be read", options->directory);
        archive_destroy(&a);
    }
    return a;
}

void archive_destroy(struct archive **place)
{
    struct archive *a = *place;
    if (!a)
        return;
    archive_close(a);
    if (a->runs)
        pthread_join(a->thread, NULL);
    archive_undo_close(&a->undo);
    archive_index_close(&a->index);
    archive_entries_fini(&a->entries);
    archive_plan_destroy(&a->plan);
    archive_plan_destroy(&a->next);
    arena_fini(&a->scratch);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
    *place = NULL;
}

const struct series_source *archive_source(struct archive *a)
{
    return &a->merged.source;
}

int archive_label_strings(struct archive *a, struct batch_str name, const struct matcher *matchers,
                          size_t count, int64_t from_ms, int64_t to_ms, struct series_strings *out)
{
    return archive_strings(&a->merged, name, matchers, count, from_ms, to_ms, out);
}

void archive_read_stats(struct archive *a, struct archive_stats *out)
{
    pthread_rwlock_rdlock(&a->entries.lock);
    *out = (struct archive_stats){.files = a->entries.count, .files_most = a->options.files_most};
    pthread_rwlock_unlock(&a->entries.lock);
    out->samples = atomic_load(&a->samples);
    out->refused = atomic_load(&a->refused);
    out->failures = atomic_load(&a->failures);
    out->is_failing = atomic_load(&a->is_failing);
    pthread_mutex_lock(&a->lock);
    memcpy(out->error, a->error, sizeof out->error);
    memcpy(out->refused_rule, a->refused_rule, sizeof out->refused_rule);
    pthread_mutex_unlock(&a->lock);
    if (!out->is_failing)
        *out->error = '\0';
}
