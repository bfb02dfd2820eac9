// SPDX-License-Identifier: Apache-2.0
#include "cli/top_rows.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What keys, patterns of keys and clients have alike; letters are as memkeys has them. */
#define HEAVIEST                                                                                   \
    {"calls", "CALLS", "C", TOP_COUNT, 9}, {"size_bytes", "SIZE", "S", TOP_BYTES, 8},              \
        {"requests_per_s", "REQ/S", "R", TOP_RATE, 8},                                             \
        {"bytes_per_s", "BYTES/S", "B", TOP_BYTES_RATE, 8},                                        \
        {"misses", "MISSES", "M", TOP_COUNT, 8}, {"share", "SHARE", "", TOP_SHARE, 7},             \
    {                                                                                              \
        "error", "ERROR", "", TOP_COUNT, 7                                                         \
    }

static const struct top_view_info infos[TOP_VIEWS] = {
    [TOP_SERVICES] = {"services",
                      "Services",
                      1,
                      7,
                      {{"service", "SERVICE", "N", TOP_TEXT, 0},
                       {"requests_per_s", "REQ/S", "RC", TOP_RATE, 8},
                       {"errors_per_s", "ERR/S", "EM", TOP_RATE, 8},
                       {"error_share", "ERRORS", "", TOP_SHARE, 7},
                       {"p50_seconds", "P50", "", TOP_SECONDS, 8},
                       {"p99_seconds", "P99", "LS", TOP_SECONDS, 8},
                       {"requests", "REQUESTS", "", TOP_COUNT, 9}}},
    [TOP_CACHES] = {"caches",
                    "Caches",
                    1,
                    14,
                    {{"cache", "CACHE", "N", TOP_TEXT, 0},
                     {"commands_per_s", "CMDS/S", "RC", TOP_RATE, 8},
                     {"miss_share", "MISSES", "M", TOP_SHARE, 7},
                     {"p99_seconds", "P99", "L", TOP_SECONDS, 8},
                     {"hottest", "HOTTEST", "", TOP_TEXT, 22},
                     {"errors_per_s", "ERR/S", "E", TOP_RATE, 7},
                     {"bytes_per_s", "BYTES/S", "BS", TOP_BYTES_RATE, 8},
                     {"p50_seconds", "P50", "", TOP_SECONDS, 8},
                     {"distinct_keys", "KEYS", "K", TOP_COUNT, 8},
                     {"hottest_share", "SHARE", "", TOP_SHARE, 7},
                     {"p999_seconds", "P99.9", "", TOP_SECONDS, 8},
                     {"peak_ratio", "PEAK", "", TOP_RATIO, 6},
                     {"host", "HOST", "", TOP_TEXT, 14},
                     {"protocol", "PROTOCOL", "", TOP_TEXT, 9}}},
    [TOP_KEYS] = {"keys", "Keys", 1, 8, {{"key", "KEY", "N", TOP_TEXT, 0}, HEAVIEST}},
    [TOP_PATTERNS] =
        {"patterns", "Patterns", 1, 8, {{"pattern", "PATTERN", "N", TOP_TEXT, 0}, HEAVIEST}},
    [TOP_CLIENTS] =
        {"clients", "Clients", 1, 8, {{"client", "CLIENT", "N", TOP_TEXT, 0}, HEAVIEST}},
};

/* ---- views -------------------------------------------------------------------------------- */

const struct top_view_info *top_view_info(enum top_view view)
{
    return &infos[view];
}

enum top_view top_view_of(const char *name)
{
    int view = 0;
    while (view < TOP_VIEWS && strcmp(infos[view].name, name) != 0)
        view++;
    return (enum top_view)view;
}

int top_column_of_letter(enum top_view view, char letter)
{
    char upper = (char)toupper((unsigned char)letter);
    for (int i = 0; upper && i < infos[view].column_count; i++)
        if (strchr(infos[view].columns[i].keys, upper))
            return i;
    return -1;
}

int top_column_of(enum top_view view, const char *name)
{
    for (int i = 0; i < infos[view].column_count; i++)
        if (strcmp(infos[view].columns[i].name, name) == 0)
            return i;
    return strlen(name) == 1 ? top_column_of_letter(view, name[0]) : -1;
}

/* ---- tables ------------------------------------------------------------------------------- */

void top_table_init(struct top_table *t, enum top_view view)
{
    const struct top_totals unknown = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    *t = (struct top_table){.view = view, .totals = unknown};
}

void top_table_fini(struct top_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        for (int column = 0; column < TOP_COLUMNS; column++)
            free(t->rows[i].texts[column]);
    free(t->rows);
    t->rows = NULL;
    t->count = t->room = 0;
}

struct top_row *top_table_add(struct top_table *t)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct top_row *rows = realloc(t->rows, room * sizeof *rows);
        if (!rows) {
            t->no_memory = true;
            return NULL;
        }
        t->rows = rows;
        t->room = room;
    }
    struct top_row *row = &t->rows[t->count++];
    *row = (struct top_row){.id = 0};
    for (int i = 0; i < TOP_COLUMNS; i++)
        row->numbers[i] = NAN;
    return row;
}

void top_set_text(struct top_table *t, struct top_row *row, const char *column, const char *text,
                  size_t length)
{
    int i = row ? top_column_of(t->view, column) : -1;
    if (i < 0)
        return;
    free(row->texts[i]);
    row->texts[i] = strndup(text, length);
    t->no_memory |= !row->texts[i];
}

void top_set_number(struct top_table *t, struct top_row *row, const char *column, double value)
{
    int i = row ? top_column_of(t->view, column) : -1;
    if (i >= 0)
        row->numbers[i] = isfinite(value) ? value : NAN;
}

const char *top_text_of(const struct top_table *t, const struct top_row *row, const char *column)
{
    int i = top_column_of(t->view, column);
    return i >= 0 && row->texts[i] ? row->texts[i] : "";
}

double top_number_of(const struct top_table *t, const struct top_row *row, const char *column)
{
    int i = top_column_of(t->view, column);
    return i >= 0 ? row->numbers[i] : NAN;
}

/* As far as there is room, in whole characters. */
static void keep(char out[TOP_LINE], const char *text)
{
    size_t length = strlen(text);
    if (length >= TOP_LINE)
        for (length = TOP_LINE - 1; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    memcpy(out, text, length);
    out[length] = '\0';
}

void top_set_hottest(struct top_table *t, const char *key, const char *in, double share,
                     double per_second)
{
    keep(t->hottest, key);
    keep(t->hottest_in, in);
    t->hottest_share = share;
    t->hottest_per_s = per_second;
}
