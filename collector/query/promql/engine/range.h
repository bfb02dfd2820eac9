// SPDX-License-Identifier: Apache-2.0
/* Functions over range vectors. Each series is read once, or in parts where its histograms are too
 * many to hold at a time; its floats and its histograms stand in arrays of their own, and a window
 * of each slides over them from step to step. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_RANGE_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_RANGE_H

#include "collector/query/promql/engine/element.h"

/* The samples in (from, to]; of anchored and smoothed selectors also those around it. */
struct window {
    size_t count;
    const int64_t *unix_ms;
    const double *value;
    const int64_t *start_ms; /* when each counter began, 0: not known; NULL: none is known */
    const uint32_t *resets;  /* positions, from `first` on, whose value began anew */
    size_t first, reset_count;
    size_t histogram_count;
    const int64_t *histogram_unix_ms;
    struct histogram **histogram;
    int64_t from_ms, to_ms;
    int64_t at_ms; /* the step */
};

struct range_call {
    struct stream stream;
    bool (*function)(struct evaluation *ev, const struct range_call *c, const struct window *w,
                     struct sample *out);
    enum promql_function_id id;
    bool anchored, smoothed;
    int64_t range_ms;
    const double *arguments[2];   /* the scalars, in their order */
    struct extremes *extremes;    /* of range_extreme */
    struct sliding_sum *sums;     /* of range_sum */
    struct spread_values *values; /* of range_spread */
    /* Of the series at hand: */
    uint64_t series; /* its number, from 1; another one for each part that is read by itself */
    struct labels labels;
    size_t step;
    struct arena *arena; /* of resulting histograms */
};

#define RANGE_FUNCTION(name)                                                                       \
    bool name(struct evaluation *ev, const struct range_call *c, const struct window *w,           \
              struct sample *out)

RANGE_FUNCTION(range_rate);     /* rate, increase, delta */
RANGE_FUNCTION(range_extended); /* those, anchored or smoothed */
RANGE_FUNCTION(range_instant);  /* irate, idelta */
RANGE_FUNCTION(range_changes);  /* changes, resets */
RANGE_FUNCTION(range_sum);      /* sum_over_time, avg_over_time */
RANGE_FUNCTION(range_extreme);  /* min, max and their times */
RANGE_FUNCTION(range_edge);     /* first, last and their times, count, present */
RANGE_FUNCTION(range_spread);   /* stddev, stdvar, mad, quantile */
RANGE_FUNCTION(range_line);     /* deriv, predict_linear, double_exponential_smoothing */

/* What range_extreme keeps from one window of a series to the next. */
struct extremes *extremes_create(struct evaluation *ev);
/* Room in which range_spread sorts a window: one for all steps. */
struct spread_values *spread_values_create(struct evaluation *ev);
/* Whether a counter began anew between two samples, by the times at which they say it began. */
bool range_started_anew(int64_t earlier_start_ms, int64_t earlier_ms, int64_t start_ms,
                        int64_t unix_ms);
/* Of anchored and smoothed windows: the last sample up to the window's begin, else the first. */
size_t range_anchor(const int64_t *unix_ms, size_t count, int64_t from_ms);
/* Whether the function takes the series for a counter. */
bool range_is_counter(const struct range_call *c);
/* Adds `h`, or with `sign` -1 subtracts it, and tells what happened on the way. False where they
 * do not go together. */
bool range_add(struct evaluation *ev, const struct range_call *c, struct histogram *to,
               const struct histogram *h, double sign);
/* Where annotations of the call point to. */
struct language_place range_place(const struct range_call *c);

#endif
