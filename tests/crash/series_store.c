// SPDX-License-Identifier: Apache-2.0
/* The series store as a process that can be killed at any moment (series.test.mjs).
 *
 *     crash_series_store write DIRECTORY BATCHES [LIMIT]   goes on until there are so many
 *     crash_series_store check DIRECTORY [LIMIT]           compares all that is there
 *
 * What batch n holds follows from n, so the ledger is a number: how many were acknowledged, in the
 * file DIRECTORY.ledger, synced before a batch is appended. After every 40th batch samples are
 * deleted; how often that was done stands in the same file. LIMIT: bytes of blocks. `check` prints
 * what it found; its exit tells whether that is right. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/series/store.h"

enum { SERIES = 40, DELETE_EVERY = 40, STEP_MS = 15000 };
#define BASE_MS INT64_C(1763760000000)

struct ledger {
    uint64_t batches, deletions;
};

static int ledger_fd;
static struct ledger ledger;

static void fail(const char *what)
{
    fprintf(stderr, "crash_series_store: %s\n", what);
    exit(2);
}

static void ledger_open(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.ledger", directory);
    ledger_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ledger_fd < 0)
        fail("no ledger");
    if (pread(ledger_fd, &ledger, sizeof ledger, 0) != sizeof ledger)
        ledger = (struct ledger){0};
}

static void ledger_note(void)
{
    if (pwrite(ledger_fd, &ledger, sizeof ledger, 0) != sizeof ledger || fsync(ledger_fd) != 0)
        fail("the ledger cannot be written");
}

/* ---- what batches hold ------------------------------------------------------------------- */

static struct journal_position position_of(uint64_t batch)
{
    return (struct journal_position){1 + batch / 100, batch % 100};
}

/* Every third sample is late by twenty batches. */
static int64_t time_of(uint64_t batch, unsigned series)
{
    return BASE_MS + (int64_t)(batch - (batch > 20 && batch % 3 == 0 ? 20 : 0)) * STEP_MS +
           (int64_t)(batch % 3) * 10 + series;
}

static void labels_of(unsigned series, struct label items[2], struct labels *labels, char text[16])
{
    int n = snprintf(text, 16, "s%u", series);
    items[0] = (struct label){{LABEL_METRIC, 8}, {"killed", 6}};
    items[1] = (struct label){{"id", 2}, {text, (uint32_t)n}};
    *labels = (struct labels){items, 2};
}

/* Even series are values, odd ones deltas of one. */
static void append(struct series_store *s, uint64_t batch)
{
    if (series_store_wait(s) != 0 || series_store_begin(s, position_of(batch)) != 0)
        fail("a batch cannot begin");
    for (unsigned i = 0; i < SERIES; i++) {
        struct label items[2];
        struct labels labels;
        char text[16];
        labels_of(i, items, &labels, text);
        struct series_sample sample = {
            .unix_ms = i % 2 ? BASE_MS + (int64_t)batch * STEP_MS + i : time_of(batch, i),
            .kind = i % 2 ? SAMPLE_DELTA : SAMPLE_VALUE,
            .value = i % 2 ? 1 : (double)(batch * 100 + i),
        };
        if (series_store_append(s, series_store_resolve(s, &labels, NULL), &sample) != SERIES_TAKEN)
            fail("a sample is refused");
    }
    series_store_commit(s);
}

/* Deletion k: of the series 2, the values that batches k * DELETE_EVERY - 5 and below told, down to
 * ten batches. */
static void range_of(uint64_t deletion, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = BASE_MS + (int64_t)(deletion * DELETE_EVERY - 15) * STEP_MS;
    *to_ms = BASE_MS + (int64_t)(deletion * DELETE_EVERY - 5) * STEP_MS;
}

static void delete_some(struct series_store *s, uint64_t deletion)
{
    struct matcher m = {MATCH_EQUAL, {"id", 2}, {"s2", 2}, NULL};
    int64_t from_ms, to_ms;
    range_of(deletion, &from_ms, &to_ms);
    if (series_store_delete(s, &m, 1, from_ms, to_ms) != SERIES_OK)
        fail("nothing can be deleted");
}

/* Whether the sample of a batch was told before a deletion that has its time. */
static bool is_deleted(uint64_t batch, unsigned series)
{
    for (uint64_t k = 1; k <= ledger.deletions && series == 2; k++) {
        int64_t from_ms, to_ms, at = time_of(batch, series);
        range_of(k, &from_ms, &to_ms);
        if (batch <= k * DELETE_EVERY && at >= from_ms && at <= to_ms)
            return true;
    }
    return false;
}

/* ---- writing ----------------------------------------------------------------------------- */

static struct series_store *open_store(const char *directory, const char *limit, bool cutting)
{
    char why[300];
    struct series_store_options o = {
        .directory = directory,
        .head_bytes = 4 << 20,
        .generations = 3,
        .cut_after_ns = cutting ? 3000000 : 0,
        .limit_bytes = limit ? strtoull(limit, NULL, 10) : 0,
    };
    ledger_open(directory);
    struct series_store *s = series_store_open(&o, why, sizeof why);
    if (!s)
        fail(why);
    struct journal_position end = series_store_ledger_end(s);
    uint64_t first = end.segment ? (end.segment - 1) * 100 + end.offset + 1 : 1;
    if (first > ledger.batches + 1)
        fail("a block is ahead of the ledger");
    for (uint64_t batch = first; batch <= ledger.batches; batch++)
        append(s, batch);
    return s;
}

static void write_batches(const char *directory, uint64_t count, const char *limit)
{
    struct series_store *s = open_store(directory, limit, true);
    for (;;) {
        if (ledger.deletions < ledger.batches / DELETE_EVERY) {
            delete_some(s, ledger.deletions + 1);
            ledger.deletions++;
            ledger_note();
        }
        if (ledger.batches >= count)
            break;
        ledger.batches++;
        ledger_note();
        append(s, ledger.batches);
        usleep(500); /* so that there is something to cut now and then */
    }
    struct series_stats stats;
    do { /* all threads have had their turn */
        usleep(1000);
        series_store_stats(s, &stats);
    } while (stats.head_samples > 0 || (stats.tombstones > 0 && !limit));
    series_store_close(&s);
}

/* ---- checking ---------------------------------------------------------------------------- */

static size_t expected_values(unsigned series)
{
    size_t expected = 0;
    for (uint64_t batch = 1; batch <= ledger.batches; batch++)
        expected += !is_deleted(batch, series);
    return expected;
}

static size_t check_values(const struct points *p, unsigned series, bool aged)
{
    size_t expected = expected_values(series), at = 0;
    if (p->count != expected && ledger.deletions < ledger.batches / DELETE_EVERY) {
        ledger.deletions++; /* one that was not answered, and is done */
        expected = expected_values(series);
    }
    if (aged ? p->count > expected : p->count != expected) {
        printf("series %u: %zu samples in place of %zu\n", series, p->count, expected);
        exit(1);
    }
    for (at = 0; at < p->count; at++) {
        uint64_t batch = (uint64_t)(p->value[at] - series) / 100;
        if (time_of(batch, series) != p->unix_ms[at] || is_deleted(batch, series)) {
            printf("series %u: a sample of batch %llu is not right\n", series,
                   (unsigned long long)batch);
            exit(1);
        }
    }
    return p->count;
}

/* A sum grows by one with each batch, or begins anew with a zero where the start of a process had
 * none to go on from: so its increase, as PromQL has it, is the number of batches. */
static size_t check_sum(const struct points *p, unsigned series, bool aged)
{
    double increase = 0;
    for (size_t i = 1; i < p->count; i++)
        increase += p->value[i] < p->value[i - 1] ? p->value[i] : p->value[i] - p->value[i - 1];
    if (aged ? increase > (double)ledger.batches : increase != (double)ledger.batches) {
        printf("series %u: it grew by %g in %llu batches\n", series, increase,
               (unsigned long long)ledger.batches);
        exit(1);
    }
    return p->count;
}

static void check_all(const char *directory, const char *limit)
{
    struct series_store *s = open_store(directory, limit, false);
    const struct series_source *source = series_store_source(s);
    struct matcher m = {MATCH_EQUAL, {LABEL_METRIC, 8}, {"killed", 6}, NULL};
    struct series_selection selection;
    struct series_stats stats;
    struct points p;
    size_t samples = 0;
    points_init(&p);
    if (source->select(source->context, &m, 1, INT64_MIN, INT64_MAX, &selection) != SERIES_OK)
        fail("select");
    if (ledger.batches > 0 && selection.count != SERIES)
        fail("series are missing");
    for (size_t i = 0; i < selection.count; i++) {
        struct batch_str id = labels_get_text(&selection.labels[i], "id");
        unsigned series = 0;
        for (uint32_t k = 1; k < id.length; k++)
            series = series * 10 + (unsigned)(id.bytes[k] - '0');
        if (source->read(source->context, &selection, i, INT64_MIN, INT64_MAX, &p) != SERIES_OK)
            fail("read");
        samples += series % 2 ? check_sum(&p, series, limit != NULL)
                              : check_values(&p, series, limit != NULL);
    }
    source->close(source->context, &selection);
    series_store_stats(s, &stats);
    printf("%llu batches, %llu deletions, %zu samples, %llu aged, %llu blocks\n",
           (unsigned long long)ledger.batches, (unsigned long long)ledger.deletions, samples,
           (unsigned long long)stats.aged_samples, (unsigned long long)stats.blocks);
    points_fini(&p);
    series_store_close(&s);
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "write") == 0)
        write_batches(argv[2], strtoull(argv[3], NULL, 10), argc > 4 ? argv[4] : NULL);
    else if (argc >= 3 && strcmp(argv[1], "check") == 0)
        check_all(argv[2], argc > 3 ? argv[3] : NULL);
    else
        fail("write DIRECTORY BATCHES [LIMIT], or check DIRECTORY [LIMIT]");
    return 0;
}
