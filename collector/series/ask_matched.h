// SPDX-License-Identifier: Apache-2.0
/* Names and values of the labels of series that matchers choose: as many as these series have that
 * have samples in the time that is asked for and that deletions did not take.
 *
 * Where few values stand against many series the index is asked: each value's series are met with
 * those that were chosen, until one is found that counts. A value of which some series do not count
 * is left to the other way, so that one that has only such does not cost them all: to look through
 * the chosen series, in their order, at those with a value that was not seen yet. */
#ifndef WEFT_COLLECTOR_SERIES_ASK_MATCHED_H
#define WEFT_COLLECTOR_SERIES_ASK_MATCHED_H

#include "collector/series/strings.h"

struct asking {
    const struct batch_str *name; /* whose values; NULL: names are asked for */
    const struct matcher *matchers;
    size_t matcher_count;
    int64_t from_ms, to_ms;
};

/* Takes the store's lock while it looks at the head. SERIES_OK or another enum series_error; that
 * there was no memory for a string, `set` tells. */
int ask_matched(struct series_store *s, const struct asking *a, struct string_set *set);

#endif
