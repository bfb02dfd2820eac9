// SPDX-License-Identifier: Apache-2.0
/* Updates of counters, gauges and histograms: the hot path. Each word has one writer (a gauge's
 * value: many, of which the last counts), so updates are plain loads and stores; an agent that
 * reads meanwhile finds each word as it was before or after. */
#include <float.h>
#include <stddef.h>
#include <string.h>

#include "client/cells.h"
#include "client/instruments.h"
#include "lib/model/exphist_index.h"
#include "lib/ring/ticks.h"

static inline uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)word, memory_order_relaxed);
}

static inline void store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline double number_of(uint64_t word)
{
    double number;
    memcpy(&number, &word, sizeof number);
    return number;
}

static inline uint64_t word_of(double number)
{
    uint64_t word;
    memcpy(&word, &number, sizeof word);
    return word;
}

void weft_counter_add_first(struct weft_counter *counter, uint64_t n)
{
    _Atomic uint64_t *cell = counter ? cells_get(&counter->of) : NULL;
    if (cell)
        store(cell, load(cell) + n);
}

/* ---- gauges ------------------------------------------------------------------------------ */

static inline struct gauge_view *gauge_view(struct weft_gauge *gauge)
{
    if (__builtin_expect(!gauge, 0))
        return NULL;
    struct gauge_view *view = weft_cell_of(&gauge->of);
    return __builtin_expect(view != NULL, 1) ? view : cells_get(&gauge->of);
}

/* Where threads have added, what they added is of an epoch that ends. Of several threads that end
 * it at one moment each has stored its value before the epoch goes on, and one of them stays. */
static void begin_epoch(struct slab_gauge_cell *g, uint64_t epoch, double value)
{
    store(&g->value[(epoch + 1) & 1], word_of(value));
    /* pairs with the acquire in take_gauge() */
    atomic_compare_exchange_strong_explicit(&g->epoch, &epoch, epoch + 1, memory_order_release,
                                            memory_order_relaxed);
}

void weft_gauge_set(struct weft_gauge *gauge, double value)
{
    struct gauge_view *view = gauge_view(gauge);
    if (__builtin_expect(!view, 0))
        return;
    struct slab_gauge_cell *g = view->shared;
    uint64_t epoch = load(&g->epoch);
    if (__builtin_expect(epoch == 0 || load(&g->added[epoch & 1]) == epoch + 1, 0))
        begin_epoch(g, epoch, value);
    else
        store(&g->value[epoch & 1], word_of(value));
}

void weft_gauge_add(struct weft_gauge *gauge, double change)
{
    struct gauge_view *view = gauge_view(gauge);
    if (__builtin_expect(!view, 0))
        return;
    struct slab_gauge_add_cell *own = view->own;
    if (__builtin_expect(!own, 0) && !(own = cells_add_gauge(view)))
        return;
    uint64_t epoch = load(&view->shared->epoch);
    _Atomic uint64_t *added = &view->shared->added[epoch & 1];
    if (__builtin_expect(load(added) != epoch + 1, 0))
        store(added, epoch + 1);
    if (__builtin_expect(load(&own->epoch) == epoch, 1)) {
        store(&own->sum, word_of(number_of(load(&own->sum)) + change));
        return;
    }
    store(&own->sum, word_of(change));
    /* pairs with the acquire in take_gauge() */
    atomic_store_explicit(&own->epoch, epoch, memory_order_release);
}

/* ---- histograms -------------------------------------------------------------------------- */

static void note(struct slab_histogram_cell *cell, double value)
{
    store(&cell->sum, word_of(number_of(load(&cell->sum)) + value));
    if (value < number_of(load(&cell->least)))
        store(&cell->least, word_of(value));
    if (value > number_of(load(&cell->most)))
        store(&cell->most, word_of(value));
}

/* Of a positive value: compared with any other, it is greater where its bits are. */
static inline void note_positive(struct slab_histogram_cell *cell, double value, int64_t bits)
{
    store(&cell->sum, word_of(number_of(load(&cell->sum)) + value));
    if (__builtin_expect(bits < (int64_t)load(&cell->least), 0))
        store(&cell->least, (uint64_t)bits);
    if (__builtin_expect(bits > (int64_t)load(&cell->most), 0))
        store(&cell->most, (uint64_t)bits);
}

/* To the next lower scale, at which there are no runs yet; but what there was keeps its span. */
static void coarsen(struct histogram_view *view)
{
    view->shift++;
    histogram_forget_slots(view);
    for (int sign = 0; sign < 2; sign++) {
        struct runs *runs = &view->signs[sign];
        int32_t last = (runs->first + (int32_t)runs->used - 1) >> 1;
        runs->first >>= 1;
        runs->used = runs->used ? (uint32_t)(last - runs->first) + 1 : 0;
        memset(runs->counts, 0, sizeof runs->counts);
    }
}

/* False: at this scale there would be too many. */
static bool cover(struct runs *runs, int32_t number)
{
    int32_t first = runs->first, last = runs->first + (int32_t)runs->used - 1;
    if (runs->used == 0)
        first = last = number;
    first = number < first ? number : first;
    last = number > last ? number : last;
    if (last - first >= RUNS_SPAN)
        return false;
    if (runs->used && first < runs->first) {
        size_t below = (size_t)(runs->first - first);
        memmove(runs->counts + below, runs->counts, runs->used * sizeof *runs->counts);
        memset(runs->counts, 0, below * sizeof *runs->counts);
    }
    runs->first = first;
    runs->used = (uint32_t)(last - first) + 1;
    return true;
}

/* The run of a bucket of scale 6, made if need be. NULL: no room. */
static _Atomic uint64_t *run_of(struct histogram_view *view, int32_t index, unsigned sign)
{
    struct runs *runs = &view->signs[sign];
    while (!cover(runs, index >> view->shift >> 6))
        coarsen(view);
    int32_t number = index >> view->shift >> 6;
    _Atomic uint64_t **counts = &runs->counts[number - runs->first];
    if (!*counts)
        *counts = cells_add_run(view, number, sign);
    return *counts;
}

/* For the next positive values of this exponent. Not for the highest, to whose bits those of
 * infinity are next. */
static void remember(struct histogram_view *view, uint32_t exponent, _Atomic uint64_t *run)
{
    if (exponent == 0 || exponent >= 2046)
        return;
    int32_t begin = ((int32_t)exponent - 1023) * 64 >> view->shift;
    view->slots[exponent % EXPONENT_SLOTS] =
        (struct exponent_slot){exponent, view->shift, run + (begin & 63)};
}

static inline void count_in(_Atomic uint64_t *count)
{
    store(count, load(count) + 1);
}

static void record_number(struct histogram_view *view, double value)
{
    unsigned sign = value < 0;
    int32_t index = exphist_index_6(sign ? -value : value);
    _Atomic uint64_t *run = run_of(view, index, sign);
    if (!run)
        return;
    if (!sign)
        remember(view, (uint32_t)((word_of(value) - 1) >> EXPHIST_MANTISSA_BITS), run);
    note(view->cell, value);
    count_in(&run[(index >> view->shift) & 63]);
}

/* Any value, in any run, of a histogram that this thread may not have yet. */
static __attribute__((noinline)) void record_slowly(struct weft_histogram *histogram, double value)
{
    struct histogram_view *view = cells_get(&histogram->of);
    if (!view)
        return;
    if (value == 0) {
        note(view->cell, value);
        count_in(&view->cell->zeros);
    } else if (value >= -DBL_MAX && value <= DBL_MAX) {
        record_number(view, value);
    } else {
        count_in(&view->cell->not_finite);
    }
}

/* Zeros, negative and subnormal values, infinities and NaN have exponents here that no slot has. */
void weft_histogram_record(struct weft_histogram *histogram, double value)
{
    if (__builtin_expect(!histogram, 0))
        return;
    struct histogram_view *view = weft_cell_of(&histogram->of);
    uint64_t bits = word_of(value), below = bits - 1, exponent = below >> EXPHIST_MANTISSA_BITS;
    const struct exponent_slot *slot;
    if (__builtin_expect(!view, 0) ||
        __builtin_expect((slot = &view->slots[exponent % EXPONENT_SLOTS])->exponent != exponent,
                         0)) {
        record_slowly(histogram, value);
        return;
    }
    note_positive(view->cell, value, (int64_t)bits);
    count_in(&slot->counts[exphist_bucket_below(below) >> slot->shift]);
}

/* ---- timers ------------------------------------------------------------------------------ */

/* The processor's counter where the agent has told how fast it runs, else CLOCK_MONOTONIC. */
struct weft_timer weft_timer_start(struct weft_histogram *histogram)
{
    struct weft_timer timer = {histogram, 0, 1, SLAB_CLOCK_MONOTONIC};
    const struct process *p = atomic_load_explicit(&process_current, memory_order_acquire);
    uint64_t rate =
        p ? atomic_load_explicit(&p->control->ns_per_tick_q32, memory_order_relaxed) : 0;
    if (__builtin_expect(rate != 0, 1)) {
        timer.clock = p->clock;
        timer.ns_per_tick = (double)rate * 0x1p-32;
    }
    timer.start_ticks = ticks_now((enum slab_clock)timer.clock);
    return timer;
}

void weft_timer_stop(struct weft_timer *timer)
{
    uint64_t ticks = ticks_now((enum slab_clock)timer->clock) - timer->start_ticks;
    struct weft_histogram *h = timer->histogram;
    if (__builtin_expect(!h, 0))
        return;
    double per_ns;
    __atomic_load(&h->per_ns, &per_ns, __ATOMIC_RELAXED);
    if (__builtin_expect(per_ns == 0, 0)) {
        per_ns = instruments_per_ns(h->of.texts[0]);
        __atomic_store(&h->per_ns, &per_ns, __ATOMIC_RELAXED);
    }
    /* A counter that differs between processors must not make an age of a moment. */
    double ns = (int64_t)ticks > 0 ? (double)ticks * timer->ns_per_tick : 0;
    weft_histogram_record(h, ns * per_ns);
}
