// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/own_metrics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

enum { LABELS_MOST = 8 };

struct own_metrics own_to_text(struct buffer *out)
{
    return (struct own_metrics){.text = out};
}

static uint32_t put_text(struct own_metrics *m, const char *text)
{
    return batch_string(m->rows, text, strlen(text));
}

static uint32_t put_pairs(struct own_metrics *m, const struct own_label *labels, uint32_t count,
                          uint32_t pairs[2 * LABELS_MOST])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count && n < LABELS_MOST; i++) {
        pairs[2 * n] = put_text(m, labels[i].name);
        pairs[2 * n++ + 1] = put_text(m, labels[i].value);
    }
    return n;
}

struct own_metrics own_to_rows(struct batch_builder *b, int64_t unix_ms,
                               const struct own_label *shared, uint32_t count)
{
    struct own_metrics m = {.rows = b, .unix_ms = unix_ms, .label_set = BATCH_NONE};
    uint32_t pairs[2 * LABELS_MOST];
    uint32_t n = put_pairs(&m, shared, count, pairs);
    if (n > 0)
        m.label_set = batch_label_set(b, pairs, n);
    return m;
}

/* ---- as text ------------------------------------------------------------------------------ */

/* The format knows three escapes; other control characters stay as they are. */
static void put_label_value(struct buffer *out, const char *value)
{
    buffer_byte(out, '"');
    for (; *value; value++) {
        if (*value == '\n')
            buffer_text(out, "\\n");
        else if (*value == '"' || *value == '\\')
            buffer_append(out, (char[]){'\\', *value}, 2);
        else
            buffer_byte(out, *value);
    }
    buffer_byte(out, '"');
}

static void put_line(struct own_metrics *m, const char *suffix, const struct own_label *labels,
                     uint32_t count, double value)
{
    buffer_printf(m->text, "%s%s", m->name, suffix);
    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(m->text, "%c%s=", i == 0 ? '{' : ',', labels[i].name);
        put_label_value(m->text, labels[i].value);
    }
    buffer_printf(m->text, "%s %.17g\n", count > 0 ? "}" : "", value);
}

/* ---- as rows ------------------------------------------------------------------------------ */

static uint32_t metric_of(struct own_metrics *m, const char *suffix)
{
    char name[128];
    if (m->metric != BATCH_NONE && strcmp(m->suffix, suffix) == 0)
        return m->metric;
    snprintf(name, sizeof name, "%s%s", m->name, suffix);
    enum metric_type type = *suffix ? METRIC_COUNTER : m->type;
    m->suffix = suffix;
    m->metric = batch_metric(m->rows, put_text(m, name), type, 0, put_text(m, m->help));
    return m->metric;
}

static void put_row(struct own_metrics *m, const char *suffix, const struct own_label *labels,
                    uint32_t count, double value)
{
    uint32_t pairs[2 * LABELS_MOST];
    uint32_t n = put_pairs(m, labels, count, pairs), metric = metric_of(m, suffix);
    uint32_t series = batch_series(m->rows, metric, m->label_set, pairs, n);
    batch_sample(m->rows, series, m->unix_ms, SAMPLE_VALUE, value);
}

/* ---- the list ----------------------------------------------------------------------------- */

void own_family(struct own_metrics *m, const char *name, enum metric_type type, const char *help)
{
    m->name = name;
    m->type = type;
    m->help = help;
    m->metric = BATCH_NONE;
    if (m->text)
        buffer_printf(m->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                      metric_type_name(type));
}

void own_part(struct own_metrics *m, const char *suffix, const struct own_label *labels,
              uint32_t count, double value)
{
    if (m->text)
        put_line(m, suffix, labels, count, value);
    else
        put_row(m, suffix, labels, count, value);
}

void own_value(struct own_metrics *m, const struct own_label *labels, uint32_t count, double value)
{
    own_part(m, "", labels, count, value);
}

void own_gauge(struct own_metrics *m, const char *name, const char *help, double value)
{
    own_family(m, name, METRIC_GAUGE, help);
    own_value(m, NULL, 0, value);
}

void own_counter(struct own_metrics *m, const char *name, const char *help, double value)
{
    own_family(m, name, METRIC_COUNTER, help);
    own_value(m, NULL, 0, value);
}

/* ---- the program itself ------------------------------------------------------------------- */

double own_cpu_seconds(void)
{
    return (double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

double own_resident_bytes(void)
{
    unsigned long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}
