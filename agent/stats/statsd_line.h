// SPDX-License-Identifier: Apache-2.0
/* One line of StatsD: NAME:VALUE|TYPE[|@RATE][|#TAG:VALUE,TAG…], as etsy's statsd and DogStatsD
 * have it. Several values before the type (NAME:1:2:3|ms) are several samples. */
#ifndef WEFT_AGENT_STATS_STATSD_LINE_H
#define WEFT_AGENT_STATS_STATSD_LINE_H

#include <stdbool.h>

#include "agent/stats/table.h"

enum statsd_type { STATSD_COUNTER, STATSD_GAUGE, STATSD_TIMER_MS, STATSD_HISTOGRAM, STATSD_SET };
enum { STATSD_VALUES_MAX = 64 };

struct statsd_line {
    struct batch_str name;
    enum statsd_type type;
    double rate; /* of sampling: above 0, at most 1 */
    uint32_t value_count;
    struct statsd_value {
        double number;         /* of all but sets */
        bool relative;         /* of gauges: "+3", "-3" */
        struct batch_str text; /* of sets */
    } values[STATSD_VALUES_MAX];
    uint32_t label_count;
    struct stats_label labels[STATS_LABELS_MAX]; /* sorted by name; none twice, none empty */
};

/* False: it is no such line. What is in `line` points into `text`. */
bool statsd_line_parse(const char *text, size_t length, struct statsd_line *line);

#endif
