// SPDX-License-Identifier: Apache-2.0
#include "cli/top_print.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top_text.h"
#include "lib/base/number.h"

/* ---- for people --------------------------------------------------------------------------- */

static void end_line(struct buffer *out)
{
    while (out->length > 0 && out->data[out->length - 1] == ' ')
        out->length--;
    buffer_byte(out, '\n');
}

void top_print_table(struct buffer *out, const struct top_table *t, const struct top_order *order,
                     const uint32_t *rows, size_t count, size_t width)
{
    struct top_layout layout;
    top_layout(&layout, t, order, rows, count, width);
    struct buffer totals = {0};
    buffer_printf(&totals, "%s: ", top_view_info(t->view)->title);
    top_totals_line(t, &totals);
    top_text(out, buffer_cstring(&totals), width);
    buffer_fini(&totals);
    end_line(out);
    if (count == 0)
        return;
    top_layout_titles(&layout, out);
    end_line(out);
    for (size_t i = 0; i < count; i++) {
        top_layout_row(&layout, &t->rows[rows[i]], out);
        end_line(out);
    }
}

/* ---- numbers of both ---------------------------------------------------------------------- */

static void put_number(struct buffer *out, double value)
{
    char text[NUMBER_TEXT_MAX];
    number_text(value, text);
    buffer_text(out, text);
}

/* ---- CSV ---------------------------------------------------------------------------------- */

/* Controls of the second block (U+0080 to U+009F) drive some terminals. */
static void put_csv_text(struct buffer *out, const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted)
        buffer_byte(out, '"');
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s == '"')
            buffer_text(out, "\"\"");
        else if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
            buffer_printf(out, "\\u%04x", *++s);
        else if (*s < 0x20 || *s == 0x7f)
            buffer_printf(out, "\\u%04x", *s);
        else
            buffer_byte(out, (char)*s);
    }
    if (quoted)
        buffer_byte(out, '"');
}

static void put_csv_row(struct buffer *out, const struct top_view_info *info,
                        const struct top_row *row)
{
    for (int i = 0; i < info->column_count; i++) {
        if (i > 0)
            buffer_byte(out, ',');
        if (info->columns[i].unit == TOP_TEXT)
            put_csv_text(out, row->texts[i] ? row->texts[i] : "");
        else if (!isnan(row->numbers[i]))
            put_number(out, row->numbers[i]);
    }
    buffer_byte(out, '\n');
}

void top_print_csv(struct buffer *out, const struct top_table *t, const uint32_t *rows,
                   size_t count)
{
    const struct top_view_info *info = top_view_info(t->view);
    for (int i = 0; i < info->column_count; i++)
        buffer_printf(out, "%s%s", i > 0 ? "," : "", info->columns[i].name);
    buffer_byte(out, '\n');
    for (size_t i = 0; i < count; i++)
        put_csv_row(out, info, &t->rows[rows[i]]);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void set_number(json_t *object, const char *name, double value)
{
    if (isnan(value))
        return;
    bool whole = value == floor(value) && fabs(value) < 9e15;
    json_object_set_new(object, name, whole ? json_integer((json_int_t)value) : json_real(value));
}

static json_t *row_object(const struct top_view_info *info, const struct top_row *row)
{
    json_t *object = json_object();
    if (row->id > 0)
        json_object_set_new(object, "id", json_integer(row->id));
    for (int i = 0; i < info->column_count; i++) {
        if (info->columns[i].unit != TOP_TEXT)
            set_number(object, info->columns[i].name, row->numbers[i]);
        else if (row->texts[i])
            json_object_set_new(object, info->columns[i].name, json_string(row->texts[i]));
    }
    return object;
}

static json_t *totals_object(const struct top_totals *n)
{
    json_t *object = json_object();
    set_number(object, "seconds", n->seconds);
    set_number(object, "per_second", n->per_second);
    set_number(object, "distinct_keys", n->distinct);
    set_number(object, "error_most", n->error_most);
    set_number(object, "rest", n->rest);
    set_number(object, "lost_packets", n->lost_packets);
    set_number(object, "lost_reports", n->lost_reports);
    set_number(object, "lost_spans", n->lost_spans);
    return object;
}

static json_t *hottest_object(const struct top_table *t)
{
    json_t *object = json_object();
    json_object_set_new(object, "key", json_string(t->hottest));
    if (*t->hottest_in)
        json_object_set_new(object, "cache", json_string(t->hottest_in));
    set_number(object, "share", t->hottest_share);
    set_number(object, "per_second", t->hottest_per_s);
    return object;
}

void top_print_json(struct buffer *out, const struct top_table *t, const struct top_order *order,
                    const uint32_t *rows, size_t count, const char *source)
{
    const struct top_view_info *info = top_view_info(t->view);
    char time[24];
    json_t *object = json_object(), *list = json_array();
    snprintf(time, sizeof time, "%" PRIu64, t->unix_ns);
    json_object_set_new(object, "view", json_string(info->name));
    json_object_set_new(object, "source", json_string(source));
    json_object_set_new(object, "at_unix_ns", json_string(time));
    json_object_set_new(object, "sorted_by", json_string(info->columns[order->column].name));
    json_object_set_new(object, "totals", totals_object(&t->totals));
    if (*t->hottest)
        json_object_set_new(object, "hottest", hottest_object(t));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, row_object(info, &t->rows[rows[i]]));
    json_object_set_new(object, info->name, list);
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    buffer_text(out, text ? text : "");
    buffer_byte(out, '\n');
    out->failed |= !text;
    free(text);
    json_decref(object);
}
