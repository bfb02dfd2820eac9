// SPDX-License-Identifier: Apache-2.0
#include "cli/top_layout.h"

#include <math.h>
#include <string.h>

#include "cli/show.h"
#include "cli/top_text.h"

/* ---- numbers ------------------------------------------------------------------------------ */

static void put_scaled(struct buffer *out, double value, bool whole)
{
    static const char units[] = " kMGT";
    int i = 0;
    while ((value >= (i == 0 && whole ? 999999.5 : 9999.5) || (i > 0 && value >= 999.5)) && i < 4) {
        value /= 1000;
        i++;
    }
    int digits = i == 0 && whole ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    buffer_printf(out, "%.*f", digits, value);
    if (i > 0)
        buffer_byte(out, units[i]);
}

/* "12 µs"; a terminal that has no such letter gets "us". */
static void put_duration(struct buffer *out, double seconds)
{
    const char *text = show_duration(seconds * 1e9), *micro = strstr(text, "µ");
    if (!micro || top_text_width("µ") == 1) {
        buffer_text(out, text);
        return;
    }
    buffer_append(out, text, (size_t)(micro - text));
    buffer_printf(out, "u%s", micro + strlen("µ"));
}

void top_number(struct buffer *out, enum top_unit unit, double value)
{
    if (isnan(value))
        buffer_byte(out, '-');
    else if (unit == TOP_SHARE)
        buffer_printf(out, "%.*f %%", value < 0.9995 ? 1 : 0, 100 * value);
    else if (unit == TOP_SECONDS)
        put_duration(out, value);
    else if (unit == TOP_BYTES || unit == TOP_BYTES_RATE)
        buffer_text(out, show_bytes(value));
    else
        put_scaled(out, value, unit == TOP_COUNT);
}

/* ---- columns ------------------------------------------------------------------------------ */

static const struct top_column *column_at(const struct top_layout *l, int i)
{
    return &top_view_info(l->table->view)->columns[i];
}

static const char *text_at(const struct top_row *row, int column)
{
    return row->texts[column] ? row->texts[column] : "";
}

static size_t longest(const struct top_table *t, const uint32_t *rows, size_t count, int column)
{
    size_t most = strlen(top_view_info(t->view)->columns[column].title);
    for (size_t i = 0; i < count; i++) {
        size_t width = top_text_width(text_at(&t->rows[rows[i]], column));
        most = width > most ? width : most;
    }
    return most;
}

static void take(struct top_layout *l, int column, size_t width)
{
    l->columns[l->count] = column;
    l->widths[l->count++] = width;
}

void top_layout(struct top_layout *l, const struct top_table *table, const struct top_order *order,
                const uint32_t *rows, size_t count, size_t width)
{
    const struct top_view_info *info = top_view_info(table->view);
    size_t name = longest(table, rows, count, 0);
    *l = (struct top_layout){.table = table, .order = order};
    if (width != TOP_WIDE) {
        size_t least = name < width / 3 ? name : width / 3;
        name = least > 0 ? least : 1;
    }
    take(l, 0, name);
    size_t used = name,
           sorted = order->column > 0 ? (size_t)info->columns[order->column].width + 1 : 0;
    for (int i = 1; i < info->column_count; i++) {
        size_t more = (size_t)info->columns[i].width;
        if (width == TOP_WIDE && info->columns[i].unit == TOP_TEXT)
            more = longest(table, rows, count, i);
        size_t kept_free = i < order->column ? sorted : 0;
        if (width != TOP_WIDE && used + 1 + more + kept_free > width)
            continue;
        take(l, i, more);
        used += 1 + more;
    }
    if (width != TOP_WIDE && used < width) /* the rest is the name's */
        l->widths[0] += width - used;
    if (width != TOP_WIDE && l->widths[0] > width)
        l->widths[0] = width;
}

/* ---- lines -------------------------------------------------------------------------------- */

/* The sign at the title says in which order. */
static void put_title(const struct top_layout *l, int at, struct buffer *out)
{
    const struct top_column *c = column_at(l, l->columns[at]);
    struct buffer title = {0};
    if (l->columns[at] == l->order->column)
        buffer_byte(&title, l->order->reversed ? '^' : 'v');
    buffer_text(&title, c->title);
    if (c->unit == TOP_TEXT)
        top_text_left(out, buffer_cstring(&title), l->widths[at]);
    else
        top_text_right(out, buffer_cstring(&title), l->widths[at]);
    buffer_fini(&title);
}

void top_layout_titles(const struct top_layout *l, struct buffer *out)
{
    for (int i = 0; i < l->count; i++) {
        if (i > 0)
            buffer_byte(out, ' ');
        put_title(l, i, out);
    }
}

static void put_cell(const struct top_layout *l, int at, const struct top_row *row,
                     struct buffer *out)
{
    int column = l->columns[at];
    enum top_unit unit = column_at(l, column)->unit;
    struct buffer text = {0};
    if (unit == TOP_TEXT) {
        top_text_left(out, text_at(row, column), l->widths[at]);
        return;
    }
    top_number(&text, unit, row->numbers[column]);
    top_text_right(out, buffer_cstring(&text), l->widths[at]);
    buffer_fini(&text);
}

void top_layout_row(const struct top_layout *l, const struct top_row *row, struct buffer *out)
{
    for (int i = 0; i < l->count; i++) {
        if (i > 0)
            buffer_byte(out, ' ');
        put_cell(l, i, row, out);
    }
}

/* ---- above a table ------------------------------------------------------------------------ */

static void put_bound(struct buffer *out, const char *before, double bound)
{
    if (isnan(bound) || bound <= 0)
        return;
    buffer_text(out, before);
    top_number(out, TOP_COUNT, bound);
}

void top_totals_line(const struct top_table *t, struct buffer *out)
{
    static const char *const what[TOP_VIEWS] = {"requests", "commands", "calls", "calls",
                                                "commands"};
    const struct top_totals *n = &t->totals;
    if (isnan(n->per_second)) {
        buffer_text(out, "nothing was counted");
        return;
    }
    top_number(out, TOP_RATE, n->per_second);
    buffer_printf(out, " %s/s over %.0f s", what[t->view], n->seconds);
    if (n->error_most == 0)
        buffer_text(out, "; exact");
    put_bound(out, "; too low by at most ", n->error_most);
    put_bound(out, ", others have at most ", n->rest);
    if (t->view == TOP_KEYS)
        put_bound(out, "; keys: about ", n->distinct);
}

void top_hottest_line(const struct top_table *t, struct buffer *out)
{
    if (!*t->hottest)
        return;
    top_text(out, t->hottest, TOP_WIDE);
    buffer_text(out, "  ");
    top_number(out, TOP_SHARE, t->hottest_share);
    buffer_text(out, " of calls");
    if (!isnan(t->hottest_per_s)) {
        buffer_text(out, ", ");
        top_number(out, TOP_RATE, t->hottest_per_s);
        buffer_text(out, "/s");
    }
    if (*t->hottest_in) {
        buffer_text(out, ", in ");
        top_text(out, t->hottest_in, TOP_WIDE);
    }
}

static bool put_dropped(struct buffer *out, double count, const char *what)
{
    if (isnan(count))
        return false;
    if (out->length > 0)
        buffer_text(out, ", ");
    top_number(out, TOP_COUNT, count);
    buffer_printf(out, " %s", what);
    return count > 0;
}

bool top_dropped_line(const struct top_table *t, struct buffer *out)
{
    struct buffer counts = {0};
    bool any = put_dropped(&counts, t->totals.lost_packets, "packets");
    any |= put_dropped(&counts, t->totals.lost_reports, "reports of taps");
    any |= put_dropped(&counts, t->totals.lost_spans, "spans");
    buffer_text(out, counts.length > 0 ? buffer_cstring(&counts) : "not known");
    buffer_fini(&counts);
    return any;
}
