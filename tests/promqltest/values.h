// SPDX-License-Identifier: Apache-2.0
/* Metrics and sequences of values as the test scripts write them. Each reads from *at and moves it
 * behind what it read; false with `why` where that is not there. */
#ifndef WEFT_TESTS_PROMQLTEST_VALUES_H
#define WEFT_TESTS_PROMQLTEST_VALUES_H

#include "lib/base/arena.h"
#include "lib/codec/labels.h"
#include "lib/model/histogram.h"

struct sequence_value {
    bool omitted;
    double value;
    struct histogram *histogram;
    bool tells_reset; /* counter_reset_hint was written */
};

struct sequence {
    size_t count, capacity;
    struct sequence_value *list;
};

bool values_read_labels(struct arena *arena, const char **at, struct labels *out, char why[200]);
/* To the end of the line. */
bool values_read_sequence(struct arena *arena, const char **at, struct sequence *out,
                          char why[200]);
/* The offsets of a line "metric@st …", in milliseconds; `omitted` where there is none. */
bool values_read_starts(struct arena *arena, const char **at, struct sequence *out, char why[200]);
/* "1h30m", "5", "0": to the next space. */
bool values_read_duration(const char **at, int64_t *ms);
/* A Go string literal that is the whole of the text. */
bool values_unquote(struct arena *arena, const char *text, struct batch_str *out);

#endif
