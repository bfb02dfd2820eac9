// SPDX-License-Identifier: Apache-2.0
#include "tests/promqltest/values.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "collector/query/promql/parse.h"

static bool wrong(char why[200], const char *what, const char *at)
{
    snprintf(why, 200, "%s at \"%.60s\"", what, at);
    return false;
}

static void skip_spaces(const char **at)
{
    while (**at == ' ' || **at == '\t')
        (*at)++;
}

/* ---- strings, labels --------------------------------------------------------------------- */

bool values_unquote(struct arena *arena, const char *text, struct batch_str *out)
{
    struct promql_query *query;
    struct language_error error;
    if (promql_parse(arena, text, strlen(text), &query, &error) != LANGUAGE_SOUND ||
        query->expr->form != PROMQL_TEXT)
        return false;
    *out = query->expr->text;
    return true;
}

/* A quoted string that begins here. */
static bool read_quoted(struct arena *arena, const char **at, struct batch_str *out)
{
    const char *from = *at;
    char quote = *from;
    const char *end = from + 1;
    while (*end && *end != quote)
        end += *end == '\\' && end[1] && quote != '`' ? 2 : 1;
    if (!*end)
        return false;
    char *text = arena_copy(arena, from, (size_t)(end - from) + 2);
    text[end - from + 1] = 0;
    *at = end + 1;
    return values_unquote(arena, text, out);
}

static struct batch_str read_word(const char **at, const char *also)
{
    const char *from = *at;
    while (isalnum((unsigned char)**at) || **at == '_' || (**at && strchr(also, **at)))
        (*at)++;
    return (struct batch_str){from, (uint32_t)(*at - from)};
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

static bool read_label(struct arena *arena, const char **at, struct label *out)
{
    if (is_quote(**at)) {
        if (!read_quoted(arena, at, &out->name))
            return false;
    } else {
        out->name = read_word(at, "");
    }
    skip_spaces(at);
    if (**at != '=') { /* the metric's name, quoted */
        out->value = out->name;
        out->name = (struct batch_str){LABEL_METRIC, 8};
        return true;
    }
    (*at)++;
    skip_spaces(at);
    return is_quote(**at) && read_quoted(arena, at, &out->value);
}

bool values_read_labels(struct arena *arena, const char **at, struct labels *out, char why[200])
{
    struct label *items = arena_calloc(arena, LABELS_MAX, sizeof *items);
    uint32_t count = 0;
    struct batch_str name = read_word(at, ":");
    if (name.length > 0)
        items[count++] = (struct label){{LABEL_METRIC, 8}, name};
    if (**at == '{' && (*at)[1] != '{') {
        (*at)++;
        for (;;) {
            skip_spaces(at);
            if (**at == '}')
                break;
            if (count == LABELS_MAX || !read_label(arena, at, &items[count]))
                return wrong(why, "this is no label", *at);
            count += items[count].value.length > 0;
            skip_spaces(at);
            if (**at == ',')
                (*at)++;
            else if (**at != '}')
                return wrong(why, "\",\" or \"}\" is missing", *at);
        }
        (*at)++;
    } else if (name.length == 0) {
        return wrong(why, "a metric is missing", *at);
    }
    qsort(items, count, sizeof *items, label_compare_names);
    *out = (struct labels){items, count};
    return true;
}

/* ---- numbers, durations ------------------------------------------------------------------ */

static bool read_number(const char **at, double *out)
{
    const char *from = *at;
    double sign = 1;
    if (*from == '+' || *from == '-')
        sign = *from++ == '-' ? -1 : 1;
    if (strncasecmp(from, "inf", 3) == 0 || strncasecmp(from, "nan", 3) == 0) {
        *out = (*from | 0x20) == 'i' ? sign * INFINITY : NAN;
        *at = from + 3;
        return true;
    }
    char text[400];
    size_t length = 0;
    for (; length < sizeof text - 1; from++) {
        char before = length ? text[length - 1] : 0;
        bool sign_of_exponent = (*from == '+' || *from == '-') && (before | 0x20) == 'e';
        bool exponent = (*from | 0x20) == 'e' && length > 0;
        if (!isdigit((unsigned char)*from) && *from != '.' && !exponent && !sign_of_exponent)
            break;
        text[length++] = *from;
    }
    text[length] = 0;
    if (length == 0)
        return false;
    *out = sign * strtod(text, NULL);
    *at = from;
    return true;
}

bool values_read_duration(const char **at, int64_t *ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1},
                 {"s", 1000},
                 {"m", 60000},
                 {"h", 3600000},
                 {"d", 86400000},
                 {"w", 604800000},
                 {"y", INT64_C(31536000000)}};
    *ms = 0;
    if (!isdigit((unsigned char)**at))
        return false;
    while (isdigit((unsigned char)**at)) {
        char *end;
        int64_t number = strtoll(*at, &end, 10);
        size_t i = 0, count = sizeof units / sizeof *units;
        for (; i < count && strncmp(end, units[i].name, strlen(units[i].name)) != 0; i++)
            ;
        *at = end + (i < count ? strlen(units[i].name) : 0);
        if (i == count && number != 0)
            return false;
        *ms += i < count ? number * units[i].ms : 0;
    }
    return true;
}

/* ---- histograms -------------------------------------------------------------------------- */

static bool read_list(struct arena *arena, const char **at, double **list, uint32_t *count)
{
    if (*(*at)++ != '[')
        return false;
    *list = arena_alloc(arena, strlen(*at) * sizeof **list);
    for (*count = 0;; (*count)++) {
        skip_spaces(at);
        if (**at == ']') {
            (*at)++;
            return true;
        }
        if (!read_number(at, &(*list)[*count]))
            return false;
    }
}

static struct histogram_buckets buckets_from(struct arena *arena, double *list, uint32_t count,
                                             int32_t offset)
{
    struct histogram_buckets b = {count, arena_alloc(arena, count * sizeof(int32_t)), list};
    for (uint32_t i = 0; i < count; i++)
        b.index[i] = offset + (int32_t)i;
    return b;
}

static bool read_reset(const char **at, uint8_t *reset)
{
    struct batch_str word = read_word(at, "");
    static const char *const names[] = {"unknown", "reset", "not_reset", "gauge"};
    for (uint8_t i = 0; i < 4; i++) {
        if (batch_str_is(word, names[i])) {
            *reset = i;
            return true;
        }
    }
    return false;
}

static bool read_field(struct arena *arena, const char **at, struct histogram *h, bool *tells_reset,
                       double offsets[2])
{
    double number = 0, *list = NULL;
    uint32_t count = 0;
    struct batch_str key = read_word(at, "");
    if (*(*at)++ != ':')
        return false;
    if (batch_str_is(key, "counter_reset_hint")) {
        *tells_reset = true;
        return read_reset(at, &h->reset);
    }
    bool is_list = **at == '[';
    if (!(is_list ? read_list(arena, at, &list, &count) : read_number(at, &number)))
        return false;
    if (batch_str_is(key, "buckets"))
        h->positive = buckets_from(arena, list, count, 0);
    else if (batch_str_is(key, "n_buckets"))
        h->negative = buckets_from(arena, list, count, 0);
    else if (batch_str_is(key, "custom_values"))
        h->custom = list, h->custom_count = count;
    else if (batch_str_is(key, "schema"))
        h->schema = (int8_t)number;
    else if (batch_str_is(key, "sum"))
        h->sum = number;
    else if (batch_str_is(key, "count"))
        h->count = number;
    else if (batch_str_is(key, "z_bucket"))
        h->zero_count = number;
    else if (batch_str_is(key, "z_bucket_w"))
        h->zero_threshold = number;
    else if (batch_str_is(key, "offset") || batch_str_is(key, "n_offset"))
        offsets[key.bytes[0] == 'n'] = number;
    else
        return false;
    return true;
}

static bool read_histogram(struct arena *arena, const char **at, struct histogram **out,
                           bool *tells_reset)
{
    struct histogram *h = arena_calloc(arena, 1, sizeof *h);
    double offsets[2] = {0, 0};
    *at += 2;
    for (;;) {
        skip_spaces(at);
        if ((*at)[0] == '}' && (*at)[1] == '}')
            break;
        if (!read_field(arena, at, h, tells_reset, offsets))
            return false;
    }
    *at += 2;
    for (uint32_t i = 0; i < h->positive.count; i++)
        h->positive.index[i] += (int32_t)offsets[0];
    for (uint32_t i = 0; i < h->negative.count; i++)
        h->negative.index[i] += (int32_t)offsets[1];
    *out = h;
    return true;
}

/* ---- sequences --------------------------------------------------------------------------- */

static void put(struct arena *arena, struct sequence *s, struct sequence_value v)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 16;
        struct sequence_value *list = arena_alloc(arena, capacity * sizeof *list);
        if (s->count)
            memcpy(list, s->list, s->count * sizeof *list);
        s->list = list;
        s->capacity = capacity;
    }
    s->list[s->count++] = v;
}

/* "x10" behind an item; 0 where there is none. */
static size_t read_times(const char **at)
{
    if (**at != 'x')
        return 0;
    char *end;
    size_t times = strtoul(*at + 1, &end, 10);
    *at = end;
    return times;
}

static bool read_histograms(struct arena *arena, const char **at, struct sequence *out)
{
    struct sequence_value v = {0};
    struct histogram *step = NULL;
    bool ignored = false;
    double sign = 1;
    if (!read_histogram(arena, at, &v.histogram, &v.tells_reset))
        return false;
    if ((**at == '+' || **at == '-') && (*at)[1] == '{') {
        sign = *(*at)++ == '-' ? -1 : 1;
        if (!read_histogram(arena, at, &step, &ignored))
            return false;
    }
    size_t times = read_times(at);
    put(arena, out, v);
    for (size_t i = 0; i < times; i++) {
        struct histogram_notes notes = {false, false};
        v.histogram = histogram_copy(arena, v.histogram);
        if (step && histogram_add(arena, v.histogram, NULL, step, sign, &notes) != 0)
            return false;
        put(arena, out, v);
    }
    return true;
}

static bool read_floats(struct arena *arena, const char **at, struct sequence *out)
{
    double value, step = 0;
    if (!read_number(at, &value))
        return false;
    if ((**at == '+' || **at == '-') && !read_number(at, &step))
        return false;
    size_t times = read_times(at);
    for (size_t i = 0; i <= times; i++, value += step)
        put(arena, out, (struct sequence_value){.value = value});
    return true;
}

static double stale(void)
{
    union {
        uint64_t bits;
        double value;
    } u = {.bits = UINT64_C(0x7ff0000000000002)};
    return u.value;
}

static bool read_item(struct arena *arena, const char **at, struct sequence *out)
{
    if (**at == '_') {
        (*at)++;
        size_t times = **at == 'x' ? read_times(at) : 1;
        for (size_t i = 0; i < times; i++)
            put(arena, out, (struct sequence_value){.omitted = true});
        return true;
    }
    if (strncmp(*at, "stale", 5) == 0) {
        *at += 5;
        put(arena, out, (struct sequence_value){.value = stale()});
        return true;
    }
    return (*at)[0] == '{' ? read_histograms(arena, at, out) : read_floats(arena, at, out);
}

bool values_read_sequence(struct arena *arena, const char **at, struct sequence *out, char why[200])
{
    *out = (struct sequence){0};
    for (;;) {
        skip_spaces(at);
        if (!**at)
            return true;
        const char *item = *at;
        if (!read_item(arena, at, out) || (**at && **at != ' ' && **at != '\t'))
            return wrong(why, "this is no value", item);
    }
}

/* ---- when counters began ----------------------------------------------------------------- */

static bool read_signed_duration(const char **at, int64_t *ms)
{
    int64_t sign = 1;
    if (**at == '-' || **at == '+')
        sign = *(*at)++ == '-' ? -1 : 1;
    bool read = values_read_duration(at, ms);
    *ms *= sign;
    return read;
}

bool values_read_starts(struct arena *arena, const char **at, struct sequence *out, char why[200])
{
    double last = 0;
    *out = (struct sequence){0};
    for (;;) {
        int64_t value = 0, step = 0;
        skip_spaces(at);
        if (!**at)
            return true;
        const char *item = *at;
        if (**at == '_') {
            if (!read_item(arena, at, out))
                return wrong(why, "this is no time", item);
            continue;
        }
        if (**at == '*')
            value = (int64_t)last, (*at)++;
        else if (!read_signed_duration(at, &value))
            return wrong(why, "this is no time", item);
        if ((**at == '-' || **at == '+') && !read_signed_duration(at, &step))
            return wrong(why, "this is no time", item);
        size_t times = read_times(at);
        for (size_t i = 0; i <= times; i++, value += step)
            put(arena, out, (struct sequence_value){.value = (double)value});
        last = (double)(value - step);
    }
}
