// SPDX-License-Identifier: Apache-2.0
/* Parts of dates, in UTC: of samples that are Unix times, or of the step's own. */
#include <time.h>

#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

struct calendar {
    struct stream stream;
    struct stream *of; /* NULL: no argument */
    bool done;
};

static int days_in_month(const struct tm *t)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = t->tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[t->tm_mon] + (t->tm_mon == 1 && leap);
}

static double part_of(enum promql_function_id id, double unix_seconds)
{
    /* Years of more than nine digits are no dates. */
    if (!(fabs(unix_seconds) < 1e16))
        return NAN;
    time_t seconds = (time_t)unix_seconds;
    struct tm t;
    if (!gmtime_r(&seconds, &t))
        return NAN;
    switch (id) {
    case PROMQL_FN_DAYS_IN_MONTH:
        return days_in_month(&t);
    case PROMQL_FN_DAY_OF_MONTH:
        return t.tm_mday;
    case PROMQL_FN_DAY_OF_WEEK:
        return t.tm_wday;
    case PROMQL_FN_DAY_OF_YEAR:
        return t.tm_yday + 1;
    case PROMQL_FN_HOUR:
        return t.tm_hour;
    case PROMQL_FN_MINUTE:
        return t.tm_min;
    case PROMQL_FN_MONTH:
        return t.tm_mon + 1;
    default:
        return t.tm_year + 1900;
    }
}

static bool next_calendar(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct calendar *c = (struct calendar *)s;
    enum promql_function_id id = s->expr->function->id;
    if (c->of ? !stream_next(ev, c->of, out) : c->done)
        return false;
    c->done = true;
    if (!c->of)
        out->labels = (struct labels){NULL, 0};
    for (size_t i = 0; i < out->count; i++) {
        if (!c->of)
            out->value[i] = part_of(id, floor((double)grid_time(&s->grid, i) / 1000));
        else if (column_histogram(out, i))
            out->value[i] = absent();
        else if (is_present(out->value[i]))
            out->value[i] = part_of(id, out->value[i]);
    }
    out->histogram = NULL;
    out->drop_name = true;
    return true;
}

OPENS(calendar_open)
{
    struct calendar *c = evaluation_calloc(ev, 1, sizeof *c);
    c->stream = (struct stream){next_calendar, e, *grid};
    if (e->arg_count > 0)
        c->of = stream_open(ev, e->args[0], grid);
    return &c->stream;
}
