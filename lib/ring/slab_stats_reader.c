// SPDX-License-Identifier: Apache-2.0
/* Taking statistics. A chunk at a time: its words are copied as they are now (`now`), beside the
 * image of what was taken of it before (`base`); each cell adds the difference to what was found of
 * its instrument; then `now` becomes the image that does not count yet. A cell that cannot be taken
 * stays in that image as it was, so nothing of it is lost or repeated. */
#include "lib/ring/slab_stats_reader.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/ring/slab_stats_internal.h"

/* ---- opening ----------------------------------------------------------------------------- */

/* All numbers are below 2^30 before they are added. */
static bool is_sound(const struct slab_file *f, const struct slab_stats *s)
{
    const uint64_t far = 1u << 30, page = SLAB_PAGE;
    uint64_t chunks = s->chunk_capacity * (uint64_t)SLAB_CHUNK_BYTES;
    return s->header_bytes >= sizeof *s && s->chunk_capacity >= 1 &&
           s->chunk_capacity <= SLAB_CHUNKS_MAX &&
           s->instruments_bytes <= SLAB_INSTRUMENT_BYTES_MAX && s->taken_offset < far &&
           s->images_offset < far && s->instruments_offset < far && s->chunks_offset < far &&
           (s->taken_offset | s->images_offset | s->instruments_offset | s->chunks_offset) % page ==
               0 &&
           s->taken_offset >= f->stats_offset + page &&
           s->images_offset >= s->taken_offset + page &&
           s->instruments_offset >= s->images_offset + 2 * chunks &&
           s->chunks_offset >= s->instruments_offset + s->instruments_bytes &&
           s->chunks_offset + chunks <= f->stats_offset + f->stats_bytes;
}

static struct slab_stats_taken *taken_page(const struct slab_stats_view *s)
{
    return (struct slab_stats_taken *)s->writable;
}

enum slab_error slab_stats_open(struct slab_reader *r)
{
    if (r->file.stats_bytes == 0)
        return SLAB_OK;
    struct slab_stats_view *s = r->stats = calloc(1, sizeof *s);
    if (!s)
        return SLAB_ESYSTEM;
    s->shared = r->fixed + r->file.stats_offset;
    if (!copy_out(&s->header, s->shared, sizeof s->header))
        return SLAB_ESHRUNK;
    if (!is_sound(&r->file, &s->header))
        return SLAB_ELIMITS;
    uint64_t offset = s->header.taken_offset;
    s->writable =
        slab_map(r, offset, s->header.instruments_offset - offset, PROT_READ | PROT_WRITE);
    if (!s->writable)
        return SLAB_ESYSTEM;
    return load64(&taken_page(s)->generation, &s->generation) ? SLAB_OK : SLAB_ESHRUNK;
}

void slab_stats_close(struct slab_reader *r)
{
    struct slab_stats_view *s = r->stats;
    if (!s)
        return;
    if (s->writable)
        munmap(s->writable, s->header.instruments_offset - s->header.taken_offset);
    slab_instruments_free(s);
    free(s);
    r->stats = NULL;
}

bool slab_has_stats(const struct slab_reader *r)
{
    return r->stats != NULL;
}

/* ---- chunks and images ------------------------------------------------------------------- */

struct words {
    const char *from;
    char *to;
    uint64_t *values;
    uint32_t count;
};

/* Acquire: a word that was stored after another is not seen without it. */
static void load_words(void *context)
{
    struct words *w = context;
    for (uint32_t i = 0; i < w->count; i++)
        w->values[i] =
            atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)w->from + i, memory_order_acquire);
}

static void store_words(void *context)
{
    struct words *w = context;
    for (uint32_t i = 0; i < w->count; i++) {
        _Atomic uint64_t *word = (_Atomic uint64_t *)(void *)w->to + i;
        if (atomic_load_explicit(word, memory_order_relaxed) != w->values[i])
            atomic_store_explicit(word, w->values[i], memory_order_relaxed);
    }
}

static bool copy_words(uint64_t *values, const char *from, uint32_t count)
{
    struct words w = {from, NULL, values, count};
    return guard_run(from, count * sizeof *values, load_words, &w);
}

static bool put_words(char *to, uint64_t *values, uint32_t count)
{
    struct words w = {NULL, to, values, count};
    return guard_run(to, count * sizeof *values, store_words, &w);
}

/* What is held stands in the image that does not count yet, and is what the next take begins at. */
static uint64_t base_of(const struct slab_stats_view *s)
{
    return s->held ? s->generation + 1 : s->generation;
}

static char *image_of(const struct slab_stats_view *s, uint64_t generation, uint64_t chunk)
{
    uint64_t index = (generation & 1) * s->header.chunk_capacity + chunk;
    return s->writable + (s->header.images_offset - s->header.taken_offset) +
           index * SLAB_CHUNK_BYTES;
}

/* ---- cells ------------------------------------------------------------------------------- */

static double number_of(uint64_t word)
{
    double number;
    memcpy(&number, &word, sizeof number);
    return number;
}

#define WORD(cell, field) (offsetof(struct cell, field) / sizeof(uint64_t))

/* False: it went back. */
static bool take_counter(struct finding *f, const uint64_t *now, const uint64_t *base)
{
    uint64_t delta = now[WORD(slab_counter_cell, count)] - base[WORD(slab_counter_cell, count)];
    if (delta > INT64_MAX)
        return false;
    f->delta += delta;
    return true;
}

static void take_gauge(struct finding *f, const uint64_t *now, const char *cell)
{
    f->gauge = cell;
    f->epoch = now[WORD(slab_gauge_cell, epoch)];
    f->set = number_of(now[WORD(slab_gauge_cell, value) + (f->epoch & 1)]);
}

static void take_addition(struct finding *f, const uint64_t *now)
{
    uint64_t epoch = now[WORD(slab_gauge_add_cell, epoch)];
    f->was_added = true;
    if (epoch > f->of_epoch) {
        f->of_epoch = epoch;
        f->added = 0;
    }
    if (epoch == f->of_epoch)
        f->added += number_of(now[WORD(slab_gauge_add_cell, sum)]);
}

/* All of it but the buckets: merging that takes no memory. */
static enum slab_error take_histogram(struct finding *f, const uint64_t *now, const uint64_t *base)
{
    uint64_t zeros = now[WORD(slab_histogram_cell, zeros)] - base[WORD(slab_histogram_cell, zeros)];
    uint64_t not_finite =
        now[WORD(slab_histogram_cell, not_finite)] - base[WORD(slab_histogram_cell, not_finite)];
    if ((zeros | not_finite) > INT64_MAX)
        return SLAB_ERECORD;
    double sum = number_of(now[WORD(slab_histogram_cell, sum)]) -
                 number_of(base[WORD(slab_histogram_cell, sum)]);
    struct exphist plain;
    exphist_init(&plain, 0);
    plain.count = plain.zeros = zeros;
    plain.not_finite = not_finite;
    plain.sum = isfinite(sum) ? sum : 0;
    plain.scale = f->histogram.scale;
    exphist_merge(&f->histogram, &plain);
    double least = number_of(now[WORD(slab_histogram_cell, least)]);
    double most = number_of(now[WORD(slab_histogram_cell, most)]);
    f->least = least < f->least ? least : f->least;
    f->most = most > f->most ? most : f->most;
    return SLAB_OK;
}

/* Doubles have exponents of 12 bits. */
static bool run_is_sound(const struct slab_run_cell *run)
{
    const int32_t buckets = SLAB_RUN_BUCKETS;
    if (run->scale > EXPHIST_SCALE || run->scale < EXPHIST_SCALE_LEAST || run->negative > 1)
        return false;
    int32_t reach = (1 << 17) >> (EXPHIST_SCALE - run->scale);
    return run->first % buckets == 0 && run->first >= -reach - buckets && run->first <= reach;
}

/* What came into the run as a histogram; its counts are `delta`. */
static struct exphist histogram_of_run(const struct slab_run_cell *run, uint64_t *delta,
                                       uint32_t from, uint32_t to, uint64_t count)
{
    struct exphist h;
    exphist_init(&h, 0);
    struct exphist_range range = {delta + from, run->first + (int32_t)from, to - from, to - from};
    double lower = exphist_upper_bound(range.first - 1, run->scale);
    double upper = exphist_upper_bound(run->first + (int32_t)to - 1, run->scale);
    h.scale = run->scale;
    h.count = count;
    h.min = run->negative ? -upper : lower;
    h.max = run->negative ? -lower : upper;
    if (run->negative)
        h.negative = range;
    else
        h.positive = range;
    return h;
}

static enum slab_error take_run(struct finding *f, const uint64_t *now, const uint64_t *base)
{
    const size_t counts = WORD(slab_run_cell, counts);
    struct slab_run_cell run;
    uint64_t delta[SLAB_RUN_BUCKETS], count = 0;
    uint32_t from = SLAB_RUN_BUCKETS, to = 0;
    memcpy(&run, now, offsetof(struct slab_run_cell, counts));
    if (!run_is_sound(&run))
        return SLAB_ERECORD;
    for (uint32_t i = 0; i < SLAB_RUN_BUCKETS; i++) {
        delta[i] = now[counts + i] - base[counts + i];
        if (delta[i] == 0)
            continue;
        from = i < from ? i : from;
        to = i + 1;
        count += delta[i];
        if (delta[i] > INT64_MAX || count > INT64_MAX)
            return SLAB_ERECORD;
    }
    if (count == 0)
        return SLAB_OK;
    struct exphist h = histogram_of_run(&run, delta, from, to, count);
    return exphist_merge(&f->histogram, &h) == 0 ? SLAB_OK : SLAB_ESYSTEM;
}

static const struct {
    size_t bytes;
    enum metric_type type;
} kinds[] = {
    [SLAB_CELL_COUNTER] = {sizeof(struct slab_counter_cell), METRIC_COUNTER},
    [SLAB_CELL_GAUGE] = {sizeof(struct slab_gauge_cell), METRIC_GAUGE},
    [SLAB_CELL_GAUGE_ADD] = {sizeof(struct slab_gauge_add_cell), METRIC_GAUGE},
    [SLAB_CELL_HISTOGRAM] = {sizeof(struct slab_histogram_cell), METRIC_HISTOGRAM},
    [SLAB_CELL_RUN] = {sizeof(struct slab_run_cell), METRIC_HISTOGRAM},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Of which instrument the cell is, which may have come after the table was read. */
static struct finding *finding_for(struct slab_reader *r, const struct slab_cell *head)
{
    struct instrument_entry *entry = slab_instrument_entry(r->stats, head->instrument);
    if (!entry && slab_instruments_refresh(r) == SLAB_OK)
        entry = slab_instrument_entry(r->stats, head->instrument);
    if (!entry || entry->is->type != kinds[head->kind].type ||
        head->bytes < kinds[head->kind].bytes)
        return NULL;
    return &entry->found;
}

static enum slab_error take_cell(struct slab_reader *r, const struct slab_cell *head,
                                 const uint64_t *now, const uint64_t *base, const char *cell)
{
    if (head->kind == 0 || head->kind >= KINDS)
        return SLAB_OK; /* of a later libweft */
    struct finding *f = finding_for(r, head);
    if (!f)
        return SLAB_ERECORD;
    switch (head->kind) {
    case SLAB_CELL_COUNTER:
        return take_counter(f, now, base) ? SLAB_OK : SLAB_ERECORD;
    case SLAB_CELL_GAUGE:
        take_gauge(f, now, cell);
        return SLAB_OK;
    case SLAB_CELL_GAUGE_ADD:
        take_addition(f, now);
        return SLAB_OK;
    case SLAB_CELL_HISTOGRAM:
        return take_histogram(f, now, base);
    default:
        return take_run(f, now, base);
    }
}

/* ---- a take ------------------------------------------------------------------------------ */

static enum slab_error worse(enum slab_error a, enum slab_error b)
{
    return a == SLAB_ESHRUNK || b == SLAB_OK ? a : b;
}

/* The cells of r->stats->now, `words` of them. What cannot be taken now is left for later. */
static enum slab_error take_cells(struct slab_reader *r, uint32_t words, const char *chunk)
{
    struct slab_stats_view *s = r->stats;
    enum slab_error worst = SLAB_OK;
    for (uint32_t at = sizeof(struct slab_chunk) / 8; at < words;) {
        struct slab_cell head;
        memcpy(&head, &s->now[at], sizeof head);
        uint32_t length = head.bytes / 8;
        if (head.bytes % 8 || length == 0 || length > words - at) {
            memcpy(&s->now[at], &s->base[at], (words - at) * sizeof(uint64_t));
            return worse(worst, SLAB_ERECORD);
        }
        enum slab_error error =
            take_cell(r, &head, &s->now[at], &s->base[at], chunk + at * sizeof(uint64_t));
        if (error != SLAB_OK)
            memcpy(&s->now[at], &s->base[at], length * sizeof(uint64_t));
        worst = worse(worst, error);
        at += length;
    }
    return worst;
}

static enum slab_error take_chunk(struct slab_reader *r, uint64_t index)
{
    struct slab_stats_view *s = r->stats;
    const char *chunk = r->fixed + s->header.chunks_offset + index * SLAB_CHUNK_BYTES;
    uint64_t used;
    /* pairs with the release in append() of client/cells.c */
    if (!load64(chunk, &used))
        return SLAB_ESHRUNK;
    bool sound = used % 8 == 0 && used >= sizeof(struct slab_chunk) && used <= SLAB_CHUNK_BYTES;
    uint32_t words = sound ? (uint32_t)(used / 8) : CHUNK_WORDS;
    enum slab_error error = sound ? SLAB_OK : SLAB_ERECORD;
    if (!copy_words(s->base, image_of(s, base_of(s), index), words))
        return SLAB_ESHRUNK;
    if (!sound)
        memcpy(s->now, s->base, sizeof s->now);
    else if (!copy_words(s->now, chunk, words))
        return SLAB_ESHRUNK;
    else
        error = take_cells(r, words, chunk);
    if (!put_words(image_of(s, s->generation + 1, index), s->now, words))
        return SLAB_ESHRUNK;
    return error;
}

static void begin_findings(struct slab_stats_view *s)
{
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        struct finding *f = &s->instruments[i].found;
        f->delta = 0;
        f->least = INFINITY;
        f->most = -INFINITY;
        f->gauge = NULL;
        f->of_epoch = 0;
        f->was_added = false;
        f->added = 0;
        exphist_fini(&f->histogram);
    }
}

/* ---- what was found ---------------------------------------------------------------------- */

static void show_counter(struct slab_stats_view *s, struct instrument_entry *entry,
                         slab_stat_visit *visit, void *context)
{
    if (entry->found.delta == 0)
        return;
    s->held = true;
    visit(context, &(struct slab_stat){.instrument = entry->is, .delta = entry->found.delta});
}

static void show_histogram(struct slab_stats_view *s, struct instrument_entry *entry,
                           slab_stat_visit *visit, void *context)
{
    struct finding *f = &entry->found;
    struct exphist *h = &f->histogram;
    if (h->count == 0 && h->not_finite == 0 && h->sum == 0)
        return;
    s->held = true;
    /* The cell may have been read before a value that its run has already. */
    if (h->count && f->least <= h->max && f->most >= h->min && f->least <= f->most) {
        h->min = f->least > h->min ? f->least : h->min;
        h->max = f->most < h->max ? f->most : h->max;
    }
    h->min = h->min < -DBL_MAX ? -DBL_MAX : h->min;
    h->max = h->max > DBL_MAX ? DBL_MAX : h->max;
    visit(context, &(struct slab_stat){.instrument = entry->is, .histogram = h});
}

/* A gauge that was set while its additions were read is told next time. */
static void show_gauge(struct instrument_entry *entry, slab_stat_visit *visit, void *context)
{
    struct finding *f = &entry->found;
    uint64_t epoch;
    if (!f->gauge || !load64(f->gauge + offsetof(struct slab_gauge_cell, epoch), &epoch) ||
        epoch != f->epoch || f->of_epoch > epoch || (epoch == 0 && !f->was_added))
        return;
    double value = f->set + (f->of_epoch == f->epoch ? f->added : 0);
    bool changed = !f->was_told || memcmp(&value, &f->told, sizeof value) != 0;
    f->told = value;
    f->was_told = true;
    visit(context,
          &(struct slab_stat){.instrument = entry->is, .value = value, .changed = changed});
}

static void show(struct slab_stats_view *s, slab_stat_visit *visit, void *context)
{
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        struct instrument_entry *entry = &s->instruments[i];
        if (entry->is->type == METRIC_COUNTER)
            show_counter(s, entry, visit, context);
        else if (entry->is->type == METRIC_HISTOGRAM)
            show_histogram(s, entry, visit, context);
        else if (entry->is->type == METRIC_GAUGE)
            show_gauge(entry, visit, context);
    }
}

enum slab_error slab_stats_take(struct slab_reader *r, slab_stat_visit *visit, void *context)
{
    struct slab_stats_view *s = r->stats;
    uint64_t count;
    if (!s)
        return SLAB_OK;
    enum slab_error worst = slab_instruments_refresh(r);
    /* pairs with the release in new_chunk() of client/cells.c */
    if (!load64(s->shared + offsetof(struct slab_stats, chunk_count), &count))
        return SLAB_ESHRUNK;
    if (count > s->header.chunk_capacity)
        return SLAB_ERECORD;
    begin_findings(s);
    for (uint64_t i = 0; i < count && worst != SLAB_ESHRUNK; i++)
        worst = worse(worst, take_chunk(r, i));
    if (worst != SLAB_ESHRUNK)
        show(s, visit, context);
    return worst;
}

/* ---- keeping it -------------------------------------------------------------------------- */

bool slab_stats_held(const struct slab_reader *r)
{
    return r->stats && r->stats->held;
}

uint64_t slab_stats_generation(const struct slab_reader *r)
{
    return r->stats ? base_of(r->stats) : 0;
}

static enum slab_error turn_to(struct slab_stats_view *s, uint64_t generation)
{
    /* After the image: pairs with the acquire in slab_stats_open() */
    if (!store64(&taken_page(s)->generation, generation))
        return SLAB_ESHRUNK;
    s->generation = generation;
    s->held = false;
    return SLAB_OK;
}

enum slab_error slab_stats_commit(struct slab_reader *r)
{
    return slab_stats_held(r) ? turn_to(r->stats, r->stats->generation + 1) : SLAB_OK;
}

enum slab_error slab_stats_resume(struct slab_reader *r, uint64_t generation)
{
    if (!r->stats || r->stats->held || generation != r->stats->generation + 1)
        return SLAB_OK;
    return turn_to(r->stats, generation);
}
