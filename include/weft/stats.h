/* SPDX-License-Identifier: Apache-2.0 */
/* libweft: counters, gauges and histograms. weft.h includes it, and its promises hold here.
 *
 *     weft_counter_add(WEFT_COUNTER("requests_total", "route", "/dashboard"), 1);
 *     weft_gauge_set(WEFT_GAUGE("queue_length"), length);
 *     weft_histogram_record(WEFT_HISTOGRAM("response_bytes"), bytes);
 *     WEFT_TIME("request_latency_ms") {
 *         ...
 *     }
 *
 * A metric has a name and labels: pairs of key and value. Each of them with each set of labels is
 * an *instrument*, bound once (below) and then only updated. Each thread counts in cells of its own
 * in shared memory, by plain stores; the host's weft-agent adds up what is new each second, what
 * was counted by threads and processes that are gone too.
 *
 * The agent adds the labels that say who counts: service, version, instance, cell, host.
 */
#ifndef WEFT_STATS_H
#define WEFT_STATS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- instruments ------------------------------------------------------------------------- */

struct weft_instrument {
    const char *const *texts; /* name, key, value, key, value …, NULL */
    uint32_t type;
    uint32_t number; /* libweft's; 0: not known yet */
};
struct weft_counter {
    struct weft_instrument of;
};
struct weft_gauge {
    struct weft_instrument of;
};
struct weft_histogram {
    struct weft_instrument of;
    double per_ns; /* libweft's: the name's unit in a nanosecond */
};

/* A pointer to a static handle, from string literals: the name, then keys and values of labels.
 * The usual way. Handles that say the same count into the same. */
#define WEFT_COUNTER(...)                                                                          \
    (__extension__({                                                                               \
        WEFT_TEXTS_(__VA_ARGS__);                                                                  \
        static struct weft_counter weft_handle_ = {{weft_texts_, WEFT_COUNTER_TYPE, 0}};           \
        &weft_handle_;                                                                             \
    }))
#define WEFT_GAUGE(...)                                                                            \
    (__extension__({                                                                               \
        WEFT_TEXTS_(__VA_ARGS__);                                                                  \
        static struct weft_gauge weft_handle_ = {{weft_texts_, WEFT_GAUGE_TYPE, 0}};               \
        &weft_handle_;                                                                             \
    }))
#define WEFT_HISTOGRAM(...)                                                                        \
    (__extension__({                                                                               \
        WEFT_TEXTS_(__VA_ARGS__);                                                                  \
        static struct weft_histogram weft_handle_ = {{weft_texts_, WEFT_HISTOGRAM_TYPE, 0}, 0};    \
        &weft_handle_;                                                                             \
    }))

/* Where values of labels are known at run time only: `texts` is name, key, value, key, value …,
 * NULL, all of it copied. Takes a lock and looks the instrument up: keep what it returns, it lives
 * as long as the process. There is room for 4,096 instruments (WEFT_INSTRUMENTS): labels are not
 * for ids or user input. NULL, and counted (stats_no_room), when that is full, or where it is none:
 * no name, an odd text, a key twice or empty, more than 32 labels, 1,024 bytes in a text or 4,000
 * in all. A label with an empty value is as none. Every call takes NULL. */
struct weft_counter *weft_bind_counter(const char *const *texts);
struct weft_gauge *weft_bind_gauge(const char *const *texts);
struct weft_histogram *weft_bind_histogram(const char *const *texts);

/* What a metric is, for people, by its name; once, at any time. Unit ("bytes") and help may be
 * NULL. The first to say it is believed. */
void weft_describe(const char *name, const char *unit, const char *help);

/* ---- updates ----------------------------------------------------------------------------- */

/* A counter only rises. */
static inline void weft_counter_add(struct weft_counter *counter, uint64_t n);

/* A gauge is set, by any thread: the last one counts. Or it is added to: then it is what was set
 * last (else 0) and the sum of what all threads added since. */
void weft_gauge_set(struct weft_gauge *gauge, double value);
void weft_gauge_add(struct weft_gauge *gauge, double change);

/* A histogram keeps each value to within 0.54 % while they stay within six powers of ten, more
 * coarsely beyond. Negative values and 0 are values, too; NaN and infinities are only counted. */
void weft_histogram_record(struct weft_histogram *histogram, double value);

/* Measures how long the block behind it takes, into the histogram that is named (labels may
 * follow), in the unit that the name ends in: _ns, _us, _ms; else seconds. The block is a loop that
 * runs once: `break` and `continue` leave it, as return, goto and C++ exceptions do, and what it
 * took is recorded all the same. (longjmp leaves no record.) */
#define WEFT_TIME(...) WEFT_TIME_AS(WEFT_HISTOGRAM(__VA_ARGS__))
/* The same for a handle. */
#define WEFT_TIME_AS(histogram) WEFT_TIME_(histogram, __COUNTER__)

/* ---- what the above is made of ----------------------------------------------------------- */

enum { WEFT_COUNTER_TYPE = 1, WEFT_GAUGE_TYPE = 2, WEFT_HISTOGRAM_TYPE = 3 };

/* Name, pairs and the NULL are an even number of texts; "" makes sure of literals. */
#define WEFT_TEXTS_(...)                                                                           \
    static const char *const weft_texts_[] = {__VA_ARGS__, 0};                                     \
    __extension__ typedef char                                                                     \
        weft_labels_are_pairs_[sizeof weft_texts_ / sizeof weft_texts_[0] % 2 == 0 ? 1 : -1]       \
        __attribute__((unused))

struct weft_timer {
    struct weft_histogram *histogram;
    uint64_t start_ticks;
    double ns_per_tick;
    uint32_t clock;
};
struct weft_timer weft_timer_start(struct weft_histogram *histogram);
void weft_timer_stop(struct weft_timer *timer);

#define WEFT_TIME_(histogram, n) WEFT_TIME__(histogram, n)
#define WEFT_TIME__(histogram, n)                                                                  \
    for (struct weft_timer weft_timer_##n                                                          \
         __attribute__((cleanup(weft_timer_stop))) = weft_timer_start(histogram),                  \
         *weft_once_##n = &weft_timer_##n;                                                         \
         weft_once_##n; weft_once_##n = 0)

/* This thread's cells, by the number of their instrument, in the process file whose recording word
 * that is. */
struct weft_cells {
    void *const *cells;
    const uint32_t *word;
};
extern __thread struct weft_cells weft_cells __attribute__((tls_model("initial-exec")));
extern const uint32_t *weft_recording_word;
void weft_counter_add_first(struct weft_counter *counter, uint64_t n);

/* NULL: not known yet, or of another process file. The word is 2 once nobody reads the file. */
static inline void *weft_cell_of(const struct weft_instrument *instrument)
{
    const uint32_t *word = __atomic_load_n(&weft_recording_word, __ATOMIC_RELAXED);
    uint32_t number = __atomic_load_n(&instrument->number, __ATOMIC_RELAXED);
    if (__builtin_expect(weft_cells.word != word || __atomic_load_n(word, __ATOMIC_RELAXED) == 2,
                         0))
        return 0;
    return weft_cells.cells[number];
}

static inline void weft_counter_add(struct weft_counter *counter, uint64_t n)
{
    uint64_t *cell = counter ? (uint64_t *)weft_cell_of(&counter->of) : 0;
    if (__builtin_expect(cell != 0, 1))
        __atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
    else
        weft_counter_add_first(counter, n);
}

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
