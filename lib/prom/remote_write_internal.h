// SPDX-License-Identifier: Apache-2.0
/* The decoder's inside: remote_write.c decompresses, counts and makes room; remote_write_rows.c
 * fills it. Two passes over the message, so that every column is exactly as long as it must be. */
#ifndef WEFT_PROM_REMOTE_WRITE_INTERNAL_H
#define WEFT_PROM_REMOTE_WRITE_INTERNAL_H

#include "lib/prom/remote_write.h"
#include "lib/prom/wire.h"

/* Field numbers of prometheus.WriteRequest and what is in it. */
enum { REQUEST_TIMESERIES = 1, REQUEST_METADATA = 3 };
enum { SERIES_LABELS = 1, SERIES_SAMPLES = 2, SERIES_EXEMPLARS = 3, SERIES_HISTOGRAMS = 4 };
enum { EXEMPLAR_LABELS = 1, EXEMPLAR_VALUE = 2, EXEMPLAR_TIMESTAMP = 3 };

struct remote_decoder {
    struct arena *arena;
    struct remote_write *out;
    struct label *labels; /* of all series and exemplars */
    uint32_t label_count;
    int error; /* the first */
};

static inline void remote_write_fail(struct remote_decoder *d, int error)
{
    if (!d->error)
        d->error = error;
}

/* Of every submessage: whether it was read to its end. */
static inline void remote_write_finish(struct remote_decoder *d, const struct wire *w)
{
    if (w->bad)
        remote_write_fail(d, REMOTE_WRITE_EMESSAGE);
}

/* One histogram of a series. */
void remote_write_histogram(struct remote_decoder *d, struct wire histogram);
/* All series, in room that is large enough. */
void remote_write_fill(struct remote_decoder *d, struct wire request);

#endif
