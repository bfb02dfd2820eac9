// SPDX-License-Identifier: Apache-2.0
/* What `weft top` makes of others' bytes. The first says what the rest is: an answer of a
 * collector's; a message that is compressed and read as a batch that an agent shows; an agent's
 * summaries; a script that makes windows. What comes of it is laid out in some width, and printed:
 * each line has that width, and nothing in it drives a terminal. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "cli/top_collector.h"
#include "cli/top_print.h"
#include "cli/top_report.h"
#include "cli/top_services.h"
#include "cli/top_text.h"
#include "cli/top_windows.h"
#include "lib/codec/batch.h"

enum { PLAIN_BYTES_MAX = 1 << 20, WINDOWS = 8, ENTRIES = 8, NUMBERS = 6 };

/* ---- how it looks ------------------------------------------------------------------------- */

static void assert_tame(const struct buffer *text)
{
    const unsigned char *s = (const unsigned char *)text->data;
    for (size_t i = 0; i < text->length; i++)
        if ((s[i] < 0x20 && s[i] != '\n') || s[i] == 0x7f ||
            (s[i] == 0xc2 && i + 1 < text->length && s[i + 1] >= 0x80 && s[i + 1] < 0xa0))
            abort();
}

static void assert_width(struct buffer *line, size_t width)
{
    if (!line->failed && top_text_width(buffer_cstring(line)) != width)
        abort();
    assert_tame(line);
    buffer_clear(line);
}

static void draw(const struct top_table *t, size_t width, int column, bool reversed)
{
    const struct top_order order = {column % top_view_info(t->view)->column_count, reversed, ""};
    struct top_layout layout;
    struct buffer out = {0};
    uint32_t *rows = malloc((t->count + 1) * sizeof *rows);
    size_t count = top_order(t, &order, rows);
    top_layout(&layout, t, &order, rows, count, width);
    top_layout_titles(&layout, &out);
    assert_width(&out, width);
    for (size_t i = 0; i < count; i++) {
        top_layout_row(&layout, &t->rows[rows[i]], &out);
        assert_width(&out, width);
    }
    top_hottest_line(t, &out);
    top_totals_line(t, &out);
    top_print_table(&out, t, &order, rows, count, TOP_WIDE);
    top_print_csv(&out, t, rows, count);
    top_print_json(&out, t, &order, rows, count, "here");
    assert_tame(&out);
    buffer_fini(&out);
    free(rows);
}

/* ---- where it comes from ------------------------------------------------------------------ */

static void take_answer(struct top_table *t, const uint8_t *data, size_t size)
{
    json_t *answer = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    if (t->view == TOP_SERVICES) {
        top_collector_take_services(t, "requests_per_s", answer);
        top_collector_take_services(t, "p99_seconds", answer);
        top_collector_end_services(t, 20);
    } else if (t->view == TOP_CACHES) {
        top_collector_take_caches(t, answer);
    } else {
        top_collector_take_list(t, answer);
    }
    json_decref(answer);
}

static void take_windows(struct top_table *t, const struct top_windows *w, const char *cache)
{
    struct top_question q = {.view = t->view, .by = TOP_BY_CALLS};
    char key[TOP_LINE];
    double share, per_s;
    strcpy(q.cache, cache);
    if (t->view >= TOP_KEYS)
        top_windows_rows(w, &q, t);
    if (top_windows_hottest(w, cache, key, &share, &per_s))
        top_set_hottest(t, key, cache, share, per_s);
}

static void take_batch(struct top_table *t, const uint8_t *data, size_t size)
{
    static const struct top_report nothing;
    struct arena arena;
    struct top_report report;
    struct top_windows windows = {0};
    int error;
    size_t room = ZSTD_compressBound(size);
    char *compressed = malloc(room);
    size_t length = ZSTD_compress(compressed, room, data, size, 1);
    arena_init(&arena, 4096);
    top_report_init(&report);
    const struct batch *b = batch_decode(&arena, compressed, length, PLAIN_BYTES_MAX, &error);
    if (b) {
        top_report_take(&report, b);
        for (uint32_t i = 0; i < b->window_count; i++)
            top_windows_add(&windows, &b->windows[i]);
        top_windows_settle(&windows, 1700000000000);
        take_windows(t, &windows, "");
    }
    if (t->view == TOP_CACHES)
        top_report_rows(&nothing, &report, t);
    top_windows_fini(&windows);
    top_report_fini(&report);
    arena_fini(&arena);
    free(compressed);
}

static void take_script(struct top_table *t, const uint8_t *data, size_t size)
{
    static const uint8_t registers[DISTINCT_REGISTERS];
    struct batch_window list[WINDOWS];
    struct window_entry entries[WINDOWS][ENTRIES];
    struct top_windows windows = {0};
    for (size_t i = 0; i < WINDOWS && size >= NUMBERS; i++) {
        struct batch_window *w = &list[i];
        uint32_t count = data[3] % ENTRIES;
        *w = (struct batch_window){.host = {"h", data[0] & 1},
                                   .cache = {data[0] & 2 ? "a" : "b", 1},
                                   .begin_unix_ms = 1000 * data[1],
                                   .length_ms = 1000 * data[2],
                                   .commands = data[4],
                                   .registers = registers};
        for (int kind = 0; kind < WINDOW_KINDS; kind++)
            w->lists[kind] = (struct window_list){entries[i], count, data[4], data[5]};
        data += NUMBERS;
        size -= NUMBERS;
        for (uint32_t k = 0; k < count; k++) {
            uint32_t length = size > 2 && data[0] < size - 2 ? data[0] % 120 : 0;
            entries[i][k] = (struct window_entry){.key = {(const char *)data + 2, length},
                                                  .full_length = length,
                                                  .hash = length ? data[2] : 1,
                                                  .calls = size > 1 ? data[1] : 1};
            data += length ? length + 2 : 0;
            size -= length ? length + 2 : 0;
        }
        top_windows_add(&windows, w);
    }
    top_windows_settle(&windows, 100000);
    take_windows(t, &windows, size > 0 && data[0] & 1 ? "a" : "");
    top_windows_fini(&windows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct top_table t;
    struct top_services services = {.at_ms = 1};
    if (!ready)
        ready = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    if (size < 4)
        return 0;
    uint8_t kind = data[0] % 4;
    size_t width = 1 + data[1] % 200;
    int column = data[2] % TOP_COLUMNS;
    top_table_init(&t, (enum top_view)(data[3] % TOP_VIEWS));
    if (kind == 0)
        take_answer(&t, data + 4, size - 4);
    else if (kind == 1)
        take_batch(&t, data + 4, size - 4);
    else if (kind == 2 && t.view == TOP_SERVICES)
        top_services_rows(&services, data + 4, size - 4, 2001, &t);
    else if (kind == 3)
        take_script(&t, data + 4, size - 4);
    draw(&t, width, column, data[2] & 128);
    top_services_fini(&services);
    top_table_fini(&t);
    return 0;
}
