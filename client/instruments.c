// SPDX-License-Identifier: Apache-2.0
/* The registry of instruments. Each is kept as the record that goes into a process file (so nothing
 * points into a plugin that may be unloaded) and found again by a hash of it: handles that say the
 * same have one number. Descriptions are kept alike, and published with the first instrument that
 * follows. Memory is mapped and never given back; the capacity bounds it. */
#include "client/instruments.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "client/identity.h"
#include "lib/model/metric.h"

#define SAME(slab, metric, api) ((int)(slab) == (int)(metric) && (int)(slab) == (int)(api))
_Static_assert(SAME(SLAB_COUNTER, METRIC_COUNTER, WEFT_COUNTER_TYPE) &&
                   SAME(SLAB_GAUGE, METRIC_GAUGE, WEFT_GAUGE_TYPE) &&
                   SAME(SLAB_HISTOGRAM, METRIC_HISTOGRAM, WEFT_HISTOGRAM_TYPE),
               "one numbering of types");

enum { RECORD_BYTES_MAX = 4096, ALLOCATED_AT_ONCE = 4 * SLAB_PAGE };

static struct registered *registry; /* [capacity + 1]; number 0 is none */
static uint32_t *buckets;           /* numbers; 2 * (capacity + 1), open addressing */
static uint32_t capacity, count;
static struct slab_instrument_head *descriptions[SLAB_DESCRIPTIONS_MAX];
static uint32_t description_count;
static char *block, *block_end;

uint32_t instruments_capacity(void)
{
    if (capacity == 0)
        capacity = (uint32_t)identity_number("WEFT_INSTRUMENTS", 4096, 1, SLAB_INSTRUMENTS_MAX - 1);
    return capacity;
}

static void *map_private(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool is_ready(void)
{
    size_t numbers = (size_t)instruments_capacity() + 1;
    if (!registry)
        registry = map_private(numbers * sizeof *registry);
    if (!buckets)
        buckets = map_private(2 * numbers * sizeof *buckets);
    return registry && buckets;
}

/* ---- records ----------------------------------------------------------------------------- */

/* Built on the stack, kept if it is new. */
struct draft {
    _Alignas(8) char bytes[RECORD_BYTES_MAX];
    size_t used;
    unsigned texts;
    bool failed;
};

static void draft_begin(struct draft *d)
{
    d->used = sizeof(struct slab_instrument_head);
    d->texts = 0;
    d->failed = false;
}

static void draft_text(struct draft *d, const char *text)
{
    size_t length = strnlen(text, SLAB_STAT_TEXT_MAX + 1);
    if (length > SLAB_STAT_TEXT_MAX || length + sizeof(uint16_t) > sizeof d->bytes - d->used) {
        d->failed = true;
        return;
    }
    uint16_t head = (uint16_t)length;
    memcpy(d->bytes + d->used, &head, sizeof head);
    memcpy(d->bytes + d->used + sizeof head, text, length);
    d->used += sizeof head + length;
    d->texts++;
}

static const struct slab_instrument_head *draft_end(struct draft *d, uint32_t type)
{
    size_t bytes = SLAB_ROUND8(d->used); /* RECORD_BYTES_MAX is a multiple of 8 */
    memset(d->bytes + d->used, 0, bytes - d->used);
    struct slab_instrument_head head = {
        .bytes = (uint32_t)bytes, .type = (uint8_t)type, .text_count = (uint8_t)d->texts};
    memcpy(d->bytes, &head, sizeof head);
    return (const struct slab_instrument_head *)(const void *)d->bytes;
}

/* The labels by their keys, without those that have no value; -1: they are none. */
static int sort_labels(const char *const *texts, const char *const **sorted)
{
    int labels = 0;
    for (const char *const *label = texts; *label; label += 2) {
        if (!label[1] || !**label || labels == SLAB_LABELS_MAX)
            return -1;
        if (!*label[1])
            continue;
        int at = labels;
        int order = 1;
        while (at > 0 && (order = strcmp(*sorted[at - 1], *label)) > 0) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        if (at > 0 && order == 0)
            return -1;
        sorted[at] = label;
        labels++;
    }
    return labels;
}

static const struct slab_instrument_head *draft_instrument(struct draft *d, uint32_t type,
                                                           const char *const *texts)
{
    const char *const *sorted[SLAB_LABELS_MAX];
    int labels = texts && texts[0] && *texts[0] ? sort_labels(texts + 1, sorted) : -1;
    if (labels < 0)
        return NULL;
    draft_begin(d);
    draft_text(d, texts[0]);
    for (int i = 0; i < labels; i++) {
        draft_text(d, sorted[i][0]);
        draft_text(d, sorted[i][1]);
    }
    return d->failed ? NULL : draft_end(d, type);
}

static struct slab_instrument_head *keep(const struct slab_instrument_head *record)
{
    enum { BLOCK = 1 << 16 };
    if ((size_t)(block_end - block) < record->bytes) {
        block = map_private(BLOCK);
        block_end = block ? block + BLOCK : NULL;
        if (!block)
            return NULL;
    }
    void *copy = memcpy(block, record, record->bytes);
    block += record->bytes;
    return copy;
}

/* ---- registering ------------------------------------------------------------------------- */

static uint64_t hash(const struct slab_instrument_head *record)
{
    const unsigned char *bytes = (const unsigned char *)record;
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (uint32_t i = 0; i < record->bytes; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return h ^ (h >> 29);
}

static bool is_same(const struct slab_instrument_head *a, const struct slab_instrument_head *b)
{
    return a->bytes == b->bytes && memcmp(a, b, a->bytes) == 0;
}

static uint32_t find_or_add(const struct slab_instrument_head *record)
{
    if (!is_ready())
        return 0;
    uint32_t *end = buckets + 2 * ((size_t)capacity + 1);
    uint32_t *bucket = &buckets[hash(record) % (2 * ((size_t)capacity + 1))];
    while (*bucket && !is_same(registry[*bucket].record, record))
        if (++bucket == end)
            bucket = buckets;
    if (!*bucket && count < capacity) {
        struct slab_instrument_head *kept = keep(record);
        if (!kept)
            return 0;
        registry[++count].record = kept;
        *bucket = count;
    }
    return *bucket;
}

uint32_t instruments_number(struct weft_instrument *instrument)
{
    uint32_t number = __atomic_load_n(&instrument->number, __ATOMIC_RELAXED);
    if (number)
        return number;
    uint32_t type = __atomic_load_n(&instrument->type, __ATOMIC_RELAXED);
    if (type & INSTRUMENT_REFUSED)
        return 0;
    struct draft draft;
    const struct slab_instrument_head *record = draft_instrument(&draft, type, instrument->texts);
    number = record ? find_or_add(record) : 0;
    if (number) /* pairs with the acquire in get() of cells.c */
        __atomic_store_n(&instrument->number, number, __ATOMIC_RELEASE);
    else
        __atomic_store_n(&instrument->type, type | INSTRUMENT_REFUSED, __ATOMIC_RELAXED);
    return number;
}

struct registered *instruments_of(uint32_t number)
{
    return &registry[number];
}

double instruments_per_ns(const char *name)
{
    static const struct {
        const char *ending;
        double per_ns;
    } units[] = {{"_ns", 1},    {"_nanoseconds", 1},    {"_us", 1e-3}, {"_microseconds", 1e-3},
                 {"_ms", 1e-6}, {"_milliseconds", 1e-6}};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t ending = strlen(units[i].ending);
        if (length > ending && strcmp(name + length - ending, units[i].ending) == 0)
            return units[i].per_ns;
    }
    return 1e-9;
}

/* ---- into a file ------------------------------------------------------------------------- */

static bool make_room(struct process *p, uint64_t end)
{
    struct process_stats *s = &p->stats;
    while (s->instruments_allocated < end) {
        uint64_t bytes = s->header->instruments_bytes - s->instruments_allocated;
        bytes = bytes < ALLOCATED_AT_ONCE ? bytes : ALLOCATED_AT_ONCE;
        if (bytes == 0 || !process_owns_file(p) ||
            !process_allocate(p->fd, s->header->instruments_offset + s->instruments_allocated,
                              bytes))
            return false;
        s->instruments_allocated += bytes;
    }
    return true;
}

static bool append(struct process *p, const struct slab_instrument_head *record)
{
    struct slab_stats *header = p->stats.header;
    if (!header)
        return false;
    uint64_t used = atomic_load_explicit(&header->instruments_used, memory_order_relaxed);
    if (!make_room(p, used + record->bytes))
        return false;
    memcpy(p->base + header->instruments_offset + used, record, record->bytes);
    /* pairs with the acquire in refresh() of slab_instruments.c */
    atomic_store_explicit(&header->instruments_used, used + record->bytes, memory_order_release);
    return true;
}

static void publish_descriptions(struct process *p)
{
    while (p->stats.description_count < description_count &&
           append(p, descriptions[p->stats.description_count]))
        p->stats.description_count++;
}

bool instruments_publish(struct process *p, struct registered *r)
{
    if (r->generation == p->generation)
        return true;
    publish_descriptions(p);
    if (!append(p, r->record))
        return false;
    r->generation = p->generation;
    r->file_number = p->stats.instrument_count++;
    r->shared = NULL;
    return true;
}

/* ---- what a service calls ---------------------------------------------------------------- */

static struct registered *bind_instrument(uint32_t type, const char *const *texts)
{
    int saved = errno;
    struct draft draft;
    process_lock();
    const struct slab_instrument_head *record = draft_instrument(&draft, type, texts);
    uint32_t number = record ? find_or_add(record) : 0;
    struct registered *r = number ? &registry[number] : NULL;
    if (r && !r->handle.instrument.number) {
        r->handle.instrument = (struct weft_instrument){NULL, type, number};
        if (type == WEFT_HISTOGRAM_TYPE)
            r->handle.histogram.per_ns = instruments_per_ns(texts[0]);
    }
    process_unlock();
    if (!r)
        process_lost(atomic_load_explicit(&process_current, memory_order_acquire),
                     LOSS_STATS_NO_ROOM);
    errno = saved;
    return r;
}

struct weft_counter *weft_bind_counter(const char *const *texts)
{
    struct registered *r = bind_instrument(WEFT_COUNTER_TYPE, texts);
    return r ? &r->handle.counter : NULL;
}

struct weft_gauge *weft_bind_gauge(const char *const *texts)
{
    struct registered *r = bind_instrument(WEFT_GAUGE_TYPE, texts);
    return r ? &r->handle.gauge : NULL;
}

struct weft_histogram *weft_bind_histogram(const char *const *texts)
{
    struct registered *r = bind_instrument(WEFT_HISTOGRAM_TYPE, texts);
    return r ? &r->handle.histogram : NULL;
}

static bool is_described(const struct slab_instrument_head *record)
{
    const char *name = (const char *)(record + 1); /* with its length */
    for (uint32_t i = 0; i < description_count; i++) {
        uint16_t length, other;
        const char *known = (const char *)(descriptions[i] + 1);
        memcpy(&length, name, sizeof length);
        memcpy(&other, known, sizeof other);
        if (length == other && memcmp(name, known, sizeof length + length) == 0)
            return true;
    }
    return false;
}

void weft_describe(const char *name, const char *unit, const char *help)
{
    if (!name || !*name)
        return;
    int saved = errno;
    struct draft draft;
    draft_begin(&draft);
    draft_text(&draft, name);
    draft_text(&draft, unit ? unit : "");
    draft_text(&draft, help ? help : "");
    const struct slab_instrument_head *record = draft_end(&draft, SLAB_DESCRIPTION);
    process_lock();
    struct process *p = atomic_load_explicit(&process_current, memory_order_acquire);
    bool known = !draft.failed && is_described(record);
    if (!known && !draft.failed && description_count < SLAB_DESCRIPTIONS_MAX &&
        (known = (descriptions[description_count] = keep(record)) != NULL))
        description_count++;
    if (p)
        publish_descriptions(p);
    process_unlock();
    if (!known)
        process_lost(p, LOSS_STATS_NO_ROOM);
    errno = saved;
}
