// SPDX-License-Identifier: Apache-2.0
/* Aggregates of a set. Spans whose value is missing or no number do not count. Of integers the
 * sum, least and greatest are integers (a sum that is too large for one is a float), of durations
 * durations, of what is mixed floats; the average of integers is a float, of durations a duration,
 * cut off to the nanosecond. */
#include "collector/query/traceql/engine/sets.h"

struct sums {
    uint64_t count, ints, durations;
    __int128 whole; /* of integers and durations */
    double real;    /* of all */
    struct traceql_value least, greatest;
};

static void add(struct sums *t, const struct traceql_value *v)
{
    if (!value_is_number(v))
        return;
    if (t->count == 0 || value_compare(TRACEQL_LT, v, &t->least))
        t->least = *v;
    if (t->count == 0 || value_compare(TRACEQL_GT, v, &t->greatest))
        t->greatest = *v;
    t->count++;
    t->ints += v->type == TRACEQL_INT;
    t->durations += v->type == TRACEQL_DURATION;
    t->real += value_number(v);
    if (v->type != TRACEQL_FLOAT)
        t->whole += v->integer;
}

static struct traceql_value of_type(enum traceql_type type, __int128 whole, double real)
{
    if (whole != (int64_t)whole || type == TRACEQL_FLOAT)
        return (struct traceql_value){.type = TRACEQL_FLOAT, .number = real};
    return (struct traceql_value){.type = type, .integer = (int64_t)whole};
}

/* Of one type, if all were of one. */
static enum traceql_type type_of(const struct sums *t)
{
    if (t->ints == t->count)
        return TRACEQL_INT;
    return t->durations == t->count ? TRACEQL_DURATION : TRACEQL_FLOAT;
}

struct traceql_value aggregate_value(struct scene *s, const struct program_scalar *a,
                                     const struct set *set)
{
    struct sums t = {.count = 0};
    if (a->aggregate == TRACEQL_COUNT)
        return (struct traceql_value){.type = TRACEQL_INT, .integer = set->count};
    for (uint32_t i = 0; i < set->count; i++) {
        struct traceql_value v = calc_value(a->of, s->frame->readers, set->rows[i]);
        add(&t, &v);
    }
    if (t.count == 0)
        return (struct traceql_value){.type = TRACEQL_NIL};
    switch (a->aggregate) {
    case TRACEQL_MIN:
        return t.least;
    case TRACEQL_MAX:
        return t.greatest;
    case TRACEQL_SUM:
        return of_type(type_of(&t), t.whole, t.real);
    default:
        break;
    }
    if (type_of(&t) == TRACEQL_DURATION)
        return of_type(TRACEQL_DURATION, t.whole / (__int128)t.count, 0);
    return of_type(TRACEQL_FLOAT, 0, t.real / (double)t.count);
}
