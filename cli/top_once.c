// SPDX-License-Identifier: Apache-2.0
#include "cli/top_once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/show.h"
#include "cli/top_print.h"

/* Into a pipe everything in full. */
static size_t width_of_output(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
               ? size.ws_col
               : TOP_WIDE;
}

enum top_by top_by_of(enum top_view view, int column)
{
    const char *name = top_view_info(view)->columns[column].name;
    if (view != TOP_KEYS)
        return TOP_BY_CALLS;
    if (strcmp(name, "misses") == 0)
        return TOP_BY_MISSES;
    return strcmp(name, "bytes_per_s") == 0 || strcmp(name, "size_bytes") == 0 ? TOP_BY_BYTES
                                                                               : TOP_BY_CALLS;
}

static int fetch(struct top_source *source, const struct top_once *once, enum top_view view,
                 int column, struct top_table *table)
{
    char why[TOP_WHY] = "";
    struct top_question q = {.view = view, .by = top_by_of(view, column), .seconds = once->seconds};
    snprintf(q.cache, sizeof q.cache, "%s", once->cache);
    top_table_init(table, view);
    int result = source->ask(source->context, &q, table, why);
    if (result == 0 && table->no_memory)
        snprintf(why, sizeof why, "out of memory");
    if (*why)
        fprintf(stderr, "weft top: %s\n", why);
    return *why ? -1 : 0;
}

static int print_one(struct top_source *source, const struct top_once *once,
                     const struct top_table *t, int column, struct buffer *out)
{
    const struct top_order order = {column, once->reversed, once->filter};
    uint32_t *rows = malloc((t->count + 1) * sizeof *rows);
    if (!rows)
        return -1;
    size_t count = top_order(t, &order, rows);
    count = count < once->count ? count : once->count;
    if (once->form == TOP_CSV)
        top_print_csv(out, t, rows, count);
    else if (once->form == TOP_JSON)
        top_print_json(out, t, &order, rows, count, source->name);
    else
        top_print_table(out, t, &order, rows, count, width_of_output());
    free(rows);
    return out->failed ? -1 : 0;
}

/* ---- for people --------------------------------------------------------------------------- */

/* Which key is hottest stands first, with where it is. */
static void print_head(const struct top_source *source, const struct top_table *keys,
                       const struct top_table *caches, struct buffer *out)
{
    struct buffer hottest = {0}, dropped = {0};
    struct top_table named = *keys;
    if (strcmp(keys->hottest, caches->hottest) == 0)
        memcpy(named.hottest_in, caches->hottest_in, sizeof named.hottest_in);
    top_hottest_line(&named, &hottest);
    top_dropped_line(keys, &dropped);
    buffer_printf(out, "weft top  %.8s  %s\n", show_time(keys->unix_ns), source->name);
    buffer_printf(out, "hottest key: %s\n",
                  hottest.length > 0 ? buffer_cstring(&hottest) : "none was seen");
    buffer_printf(out, "dropped: %s\n", buffer_cstring(&dropped));
    buffer_fini(&hottest);
    buffer_fini(&dropped);
}

static int print_all(struct top_source *source, const struct top_once *once, struct buffer *out)
{
    struct top_table tables[TOP_VIEWS];
    int result = 0, got = 0;
    for (; got < TOP_VIEWS && result == 0; got++)
        result = fetch(source, once, (enum top_view)got,
                       top_view_info((enum top_view)got)->sorted_by, &tables[got]);
    if (result == 0)
        print_head(source, &tables[TOP_KEYS], &tables[TOP_CACHES], out);
    for (int view = 0; view < TOP_VIEWS && result == 0; view++) {
        buffer_byte(out, '\n');
        result = print_one(source, once, &tables[view],
                           top_view_info((enum top_view)view)->sorted_by, out);
    }
    for (int i = 0; i < got; i++)
        top_table_fini(&tables[i]);
    return result;
}

int top_once(struct top_source *source, const struct top_once *once)
{
    struct buffer out = {0};
    struct top_table table;
    int result;
    if (once->all_views) {
        result = print_all(source, once, &out);
    } else {
        result = fetch(source, once, once->view, once->column, &table);
        if (result == 0)
            result = print_one(source, once, &table, once->column, &out);
        top_table_fini(&table);
    }
    if (result == 0)
        fwrite(out.data, 1, out.length, stdout);
    buffer_fini(&out);
    return result == 0 && fflush(stdout) == 0 ? 0 : 1;
}
