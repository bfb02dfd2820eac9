// SPDX-License-Identifier: Apache-2.0
/* Evaluates and compares. An instant query is also asked as the middle step of a range query. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "collector/query/promql/print.h"
#include "collector/query/promql/promql.h"
#include "tests/promqltest/script.h"

/* ---- values ------------------------------------------------------------------------------ */

static bool almost_equal(double a, double b)
{
    const double epsilon = 1e-6;
    if (a == b || (isnan(a) && isnan(b)))
        return true;
    double size = fabs(a) + fabs(b), difference = fabs(a - b);
    if (a == 0 || b == 0 || size < DBL_MIN)
        return difference < epsilon * DBL_MIN;
    return difference / fmin(size, DBL_MAX) < epsilon;
}

static bool buckets_equal(const struct histogram_buckets *a, const struct histogram_buckets *b)
{
    uint32_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a->count && a->value[i] == 0)
            i++;
        while (j < b->count && b->value[j] == 0)
            j++;
        if (i == a->count || j == b->count)
            return i == a->count && j == b->count;
        if (a->index[i] != b->index[j] || !almost_equal(a->value[i], b->value[j]))
            return false;
    }
}

static bool histograms_equal(const struct histogram *a, const struct histogram *b, bool resets)
{
    if (a->schema != b->schema || !almost_equal(a->count, b->count) ||
        !almost_equal(a->sum, b->sum) || a->custom_count != b->custom_count ||
        a->zero_threshold != b->zero_threshold || !almost_equal(a->zero_count, b->zero_count))
        return false;
    for (uint32_t i = 0; i < a->custom_count; i++)
        if (a->custom[i] != b->custom[i])
            return false;
    return buckets_equal(&a->positive, &b->positive) && buckets_equal(&a->negative, &b->negative) &&
           (!resets || a->reset == b->reset);
}

static void put_sample(struct buffer *out, double value, const struct histogram *h)
{
    static const char *const resets[] = {"unknown", "reset", "not_reset", "gauge"};
    if (!h) {
        promql_print_number(out, value);
        return;
    }
    histogram_print(out, h);
    buffer_printf(out, " (schema %d, zero to %g, %s, %u custom bounds)", h->schema,
                  h->zero_threshold, resets[h->reset & 3], h->custom_count);
}

/* ---- series ------------------------------------------------------------------------------ */

static const struct histogram *histogram_at(const struct promql_series *s, size_t i)
{
    return s->histogram ? s->histogram[i] : NULL;
}

static bool sample_equal(const struct sequence_value *v, const struct promql_series *s, size_t i)
{
    const struct histogram *h = histogram_at(s, i);
    if (!v->histogram != !h)
        return false;
    return h ? histograms_equal(v->histogram, h, v->tells_reset)
             : almost_equal(v->value, s->value[i]);
}

static void put_series(struct buffer *out, const struct promql_series *s)
{
    promql_print_labels(out, &s->labels);
    for (size_t i = 0; i < s->count && i < 20; i++) {
        buffer_byte(out, ' ');
        put_sample(out, s->value[i], histogram_at(s, i));
        buffer_printf(out, "@%g", (double)s->unix_ms[i] / 1000);
    }
}

static bool differ(struct buffer *why, const struct expected_series *x,
                   const struct promql_series *got)
{
    buffer_printf(why, "line %zu: expected ", x->line);
    promql_print_labels(why, &x->labels);
    for (size_t i = 0; i < x->values.count && i < 20; i++) {
        buffer_byte(why, ' ');
        if (x->values.list[i].omitted)
            buffer_byte(why, '_');
        else
            put_sample(why, x->values.list[i].value, x->values.list[i].histogram);
    }
    buffer_text(why, ", got ");
    put_series(why, got);
    return false;
}

static bool check_series(const struct evaluated *e, const struct expected_series *x,
                         const struct promql_series *got, struct buffer *why)
{
    size_t at = 0;
    for (size_t i = 0; i < x->values.count; i++) {
        const struct sequence_value *v = &x->values.list[i];
        int64_t unix_ms = e->from_ms + (int64_t)i * e->gap_ms;
        if (v->omitted)
            continue;
        if (at == got->count || got->unix_ms[at] != unix_ms || !sample_equal(v, got, at))
            return differ(why, x, got);
        at++;
    }
    return at == got->count || differ(why, x, got);
}

static bool check_list(const struct evaluated *e, const struct promql_result *r, struct buffer *why)
{
    for (size_t i = 0; i < r->series_count; i++) {
        size_t j = 0;
        while (j < e->count && !labels_equal(&e->series[j].labels, &r->series[i].labels))
            j++;
        if (j == e->count) {
            buffer_text(why, "not expected: ");
            put_series(why, &r->series[i]);
            return false;
        }
        if (e->ordered && j != i) {
            buffer_printf(why, "expected in place %zu, is in place %zu: ", j + 1, i + 1);
            put_series(why, &r->series[i]);
            return false;
        }
        if (!check_series(e, &e->series[j], &r->series[i], why))
            return false;
    }
    for (size_t j = 0; j < e->count; j++) {
        size_t i = 0;
        while (i < r->series_count && !labels_equal(&e->series[j].labels, &r->series[i].labels))
            i++;
        if (i == r->series_count && e->series[j].values.count > 0) {
            buffer_printf(why, "line %zu: expected, and not there: ", e->series[j].line);
            promql_print_labels(why, &e->series[j].labels);
            return false;
        }
    }
    return true;
}

static bool check_value(const struct evaluated *e, const struct promql_result *r,
                        struct buffer *why)
{
    if (r->form == PROMQL_RESULT_STRING) {
        if (e->string && batch_str_equal(e->text, r->string))
            return true;
        buffer_printf(why, "got the string \"%.*s\"", (int)r->string.length, r->string.bytes);
        return false;
    }
    if (r->form == PROMQL_RESULT_SCALAR) {
        if (e->scalar && almost_equal(e->number, r->scalar))
            return true;
        buffer_printf(why, "expected %s %g, got the scalar %.17g",
                      e->scalar ? "the scalar" : "no scalar", e->number, r->scalar);
        return false;
    }
    if (e->scalar || e->string) {
        buffer_text(why, "expected a scalar or a string, got series");
        return false;
    }
    return check_list(e, r, why);
}

/* ---- texts ------------------------------------------------------------------------------- */

static bool text_matches(const struct expected_text *x, const char *text)
{
    char why[200], pattern[2048];
    if (x->form == TEXT_ANY)
        return true;
    if (x->form == TEXT_EXACT)
        return strcmp(x->text, text) == 0;
    int length = snprintf(pattern, sizeof pattern, ".*(?:%s).*", x->text);
    struct regex *r = regex_create(pattern, (size_t)length, why, sizeof why);
    bool matches = r && regex_matches(r, text, strlen(text));
    regex_destroy(&r);
    return matches;
}

static bool is_expected(const struct expected_texts *x, const char *text)
{
    for (size_t i = 0; i < x->count; i++)
        if (text_matches(&x->list[i], text))
            return true;
    return x->count == 0;
}

static bool check_texts(const struct expected_texts *x, const struct promql_result *r,
                        bool warnings, struct buffer *why)
{
    bool found[EXPECTED_TEXTS_MAX] = {false}, any = false;
    for (size_t i = 0; i < r->annotation_count; i++) {
        const char *text = r->annotations[i].text;
        if (r->annotations[i].warning != warnings)
            continue;
        any = true;
        if (x->unwanted || (x->wanted && !is_expected(x, text))) {
            buffer_printf(why, "not expected: %s", text);
            return false;
        }
        for (size_t j = 0; j < x->count; j++)
            found[j] |= text_matches(&x->list[j], text);
    }
    if (x->wanted && !any) {
        buffer_printf(why, "expected %s", warnings ? "a warning" : "an info");
        return false;
    }
    for (size_t j = 0; j < x->count; j++) {
        if (!found[j]) {
            buffer_printf(why, "expected, and not there: %s", x->list[j].text);
            return false;
        }
    }
    return true;
}

/* ---- asking ------------------------------------------------------------------------------ */

static bool check_failure(const struct evaluated *e, const char *message, struct buffer *why)
{
    if (!e->fails)
        buffer_printf(why, "failed: %s", message);
    else if (!text_matches(&e->failure, message))
        buffer_printf(why, "expected the failure \"%s\", got \"%s\"", e->failure.text, message);
    else
        return true;
    return false;
}

static bool depends_on_range(const char *expr)
{
    return strstr(expr, "start()") || strstr(expr, "end()") || strstr(expr, "range()") ||
           strstr(expr, "step()");
}

/* What the middle one of three steps yields, as an instant query does. */
static void keep_middle(struct promql_result *r, int64_t unix_ms, bool scalar)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->series_count; i++) {
        struct promql_series *s = &r->series[i];
        for (size_t j = 0; j < s->count; j++) {
            if (s->unix_ms[j] != unix_ms)
                continue;
            struct promql_series one = {s->labels, 1, s->unix_ms + j, s->value + j,
                                        histogram_at(s, j) ? s->histogram + j : NULL};
            r->series[kept++] = one;
            break;
        }
    }
    r->series_count = kept;
    if (scalar && kept == 1) {
        r->form = PROMQL_RESULT_SCALAR;
        r->scalar = r->series[0].value[0];
    }
}

static bool check_in_range(struct script *s, const struct evaluated *e,
                           const struct promql_query *query, struct buffer *why)
{
    struct promql_options options = {
        .start_ms = e->start_ms - 60000, .end_ms = e->start_ms + 60000, .step_ms = 60000};
    struct promql_result r;
    promql_evaluate(query, &s->source.source, &options, &r);
    buffer_text(why, "as a step of a range query: ");
    bool passed = r.status == PROMQL_OK;
    if (!passed)
        buffer_printf(why, "failed: %s", r.message);
    keep_middle(&r, e->start_ms, e->scalar);
    passed = passed && check_value(e, &r, why);
    promql_result_fini(&r);
    return passed;
}

static bool check_evaluated(struct script *s, const struct evaluated *e,
                            const struct promql_query *query, struct buffer *why)
{
    struct promql_options options = {
        .start_ms = e->start_ms, .end_ms = e->end_ms, .step_ms = e->step_ms};
    struct promql_result r;
    bool passed;
    promql_evaluate(query, &s->source.source, &options, &r);
    if (r.status != PROMQL_OK) {
        passed = check_failure(e, r.message, why);
    } else if (e->fails) {
        buffer_text(why, "expected to fail");
        passed = false;
    } else {
        passed = check_texts(&e->warnings, &r, true, why) &&
                 check_texts(&e->infos, &r, false, why) && check_value(e, &r, why);
    }
    bool again = passed && !e->fails && !e->range && !e->range_vector && !e->string &&
                 !e->ordered && !depends_on_range(e->expr);
    promql_result_fini(&r);
    return again ? check_in_range(s, e, query, why) : passed;
}

bool script_check(struct script *s, const struct evaluated *e, struct buffer *why)
{
    struct promql_query *query;
    struct language_error error;
    struct arena arena;
    arena_init(&arena, 4096);
    bool passed;
    if (promql_parse(&arena, e->expr, strlen(e->expr), &query, &error) != LANGUAGE_SOUND)
        passed = check_failure(e, error.message, why);
    else
        passed = check_evaluated(s, e, query, why);
    arena_fini(&arena);
    return passed;
}
