// SPDX-License-Identifier: Apache-2.0
/* The agent's side of a process' statistics: what is new since they were taken last, exactly once.
 *
 *     slab_stats_take     reads all cells, visits what is new, and copies the cells as they were
 *                         read into the image that does not count yet (nothing is given back)
 *     slab_stats_commit   makes that image the one that counts
 *
 * Between the two, what was visited goes into a batch and the batch into the spool, with
 * slab_stats_generation() of that moment in its cursor table. Taking again before the commit is
 * fine: it visits what came since the last take. But nothing may be taken between the moment in
 * which the batch is put into the spool and the commit. So, of an agent that is killed
 *   before the batch is in the spool: the file's generation is the old one, and the next agent
 *     takes all of it again;
 *   after that: the next agent finds the generation in the spool's cursor table, and calls
 *     slab_stats_resume with it before its first take, which does the commit in its stead.
 * Nothing is lost and nothing comes twice. A batch must not be acknowledged, and so leave the
 * spool, before the commit (as it must not before slab_release).
 *
 * Cells of threads that have exited are taken as others are; a dead process' a last time before
 * its file goes. A file without statistics (of an older libweft, or WEFT_STATS_BYTES=0) has none
 * to visit. Nothing that the owner wrote is trusted. The time of what is visited is now.
 *
 * One thread at a time, the same as for the rest of the reader. */
#ifndef WEFT_RING_SLAB_STATS_READER_H
#define WEFT_RING_SLAB_STATS_READER_H

#include "lib/model/exphist.h"
#include "lib/model/metric.h"
#include "lib/ring/slab_reader.h"

struct slab_text {
    const char *bytes; /* not NUL-terminated; any bytes, valid UTF-8 or not */
    uint32_t length;
};
struct slab_label {
    struct slab_text key, value;
};

/* What is counted. Private copies, valid as long as the reader. */
struct slab_instrument {
    uint32_t number;       /* within the file, from 0, without gaps: the agent's table index */
    enum metric_type type; /* METRIC_COUNTER, METRIC_GAUGE or METRIC_HISTOGRAM */
    struct slab_text name; /* not empty */
    struct slab_text unit, help; /* of weft_describe, which may come later; else empty */
    uint32_t label_count;
    const struct slab_label *labels; /* sorted by key, bytewise; none twice, none empty */
};

struct slab_stat {
    const struct slab_instrument *instrument;
    uint64_t delta; /* counter: what came since the last take, above 0 */
    double value;   /* gauge: as it stands now (visited at every take once it has a value) */
    bool changed;   /* gauge: it is not what the last take of this reader found */
    /* histogram: what came since; the visitor's for the time of the call. `min` and `max` are
     * bounds: of the outermost buckets, never beyond what was ever recorded. `count` may be 0 and
     * `sum` not (or the other way round for a value of 0): the owner is within an update, and the
     * value's bucket comes with the next take. */
    const struct exphist *histogram;
};
typedef void slab_stat_visit(void *context, const struct slab_stat *stat);

/* Whether the file has a part for statistics. */
bool slab_has_stats(const struct slab_reader *r);

/* Visits, by the number of their instruments, counters and histograms that have something new and
 * gauges that have a value. Returns the worst that was met; everything sound was visited all the
 * same, and what was not comes with a later take:
 *   SLAB_ESYSTEM  no memory for a part of it
 *   SLAB_ERECORD  cells or instruments that are none, or counters that went back: passed over
 *   SLAB_ESHRUNK  the file must be left alone from now on */
enum slab_error slab_stats_take(struct slab_reader *r, slab_stat_visit *visit, void *context);

/* Whether a take found anything that was not committed yet (a cursor must go with the batch). */
bool slab_stats_held(const struct slab_reader *r);
/* For the cursor table: the generation that stands in the file once what is held is committed; the
 * file's own where nothing is held. */
uint64_t slab_stats_generation(const struct slab_reader *r);
/* What was taken is safe in the spool. Nothing held: does nothing. SLAB_ESHRUNK as above. */
enum slab_error slab_stats_commit(struct slab_reader *r);
/* After opening, before the first take: `generation` as a cursor in the spool says it; one that is
 * not the next does nothing. */
enum slab_error slab_stats_resume(struct slab_reader *r, uint64_t generation);

/* The instruments known by the last take. NULL beyond. */
uint32_t slab_instruments(const struct slab_reader *r);
const struct slab_instrument *slab_instrument(const struct slab_reader *r, uint32_t number);

#endif
