// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/round.h"

#include <errno.h>
#include <math.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { ROWS_AT_ONCE = 512, ROW_TEXT_BYTES = 48, SPACING_MS = 240000, SLACK_ROWS = 12 };
enum { FILE_BYTES_LEAST = 2 << 20 }; /* of room for one, and some */

const struct round_level round_levels[ROUND_LEVELS] = {
    {10, 8640}, {60, 10080}, {600, 13248}, {3600, 43800}};

static bool is_disk_full(const char *path)
{
    struct statvfs disk;
    const char *slash = strrchr(path, '/');
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
    bool full = directory && statvfs(directory, &disk) == 0 &&
                disk.f_bavail * disk.f_frsize < FILE_BYTES_LEAST;
    free(directory);
    return full;
}

/* A full disk leaves librrd without words. */
static int fail(char *why, size_t why_size, const char *path)
{
    const char *said = rrd_get_error();
    if (!said || !*said)
        said = is_disk_full(path) ? strerror(ENOSPC) : "it cannot be written";
    snprintf(why, why_size, "%s: %s", path, said);
    return -1;
}

int round_create(const char *path, int64_t begin_s, char *why, size_t why_size)
{
    static const char *const kinds[] = {"AVERAGE", "MIN", "MAX"};
    char text[ROUND_LEVELS * 3][64];
    const char *words[ROUND_LEVELS * 3 + 1];
    int count = 0;
    words[count] = "DS:v:GAUGE:20:U:U";
    for (int i = 0; i < ROUND_LEVELS; i++)
        for (int k = 0; k < (i == 0 ? 1 : 3); k++) {
            /* Of what a coarse row covers a tenth must be known. */
            snprintf(text[count], sizeof text[count], "RRA:%s:%s:%lld:%lld", kinds[k],
                     i == 0 ? "0" : "0.9", (long long)(round_levels[i].step_s / ROUND_STEP_S),
                     (long long)round_levels[i].rows + SLACK_ROWS);
            words[count + 1] = text[count];
            count++;
        }
    rrd_clear_error();
    if (rrd_create_r2(path, ROUND_STEP_S, (time_t)begin_s, 1, NULL, NULL, count + 1, words) == 0)
        return 0;
    fail(why, why_size, path);
    /* librrd says what exists already in words only: who made the file meanwhile is right, too. */
    return round_last_s(path) >= 0 ? 0 : -1;
}

size_t round_head_bytes(int fd)
{
    struct stat st;
    off_t rows = 0;
    for (int i = 0; i < ROUND_LEVELS; i++)
        rows += (round_levels[i].rows + SLACK_ROWS) * (i == 0 ? 1 : 3);
    rows *= (off_t)sizeof(rrd_value_t);
    return fstat(fd, &st) == 0 && st.st_size > rows ? (size_t)(st.st_size - rows) : 0;
}

int64_t round_longest_s(void)
{
    const struct round_level *l = &round_levels[ROUND_LEVELS - 1];
    return l->step_s * l->rows;
}

int64_t round_last_s(const char *path)
{
    rrd_clear_error();
    return (int64_t)rrd_last_r(path);
}

/* ---- writing ----------------------------------------------------------------------------- */

struct gathered {
    char text[ROWS_AT_ONCE][ROW_TEXT_BYTES];
    const char *rows[ROWS_AT_ONCE];
    int count;
};

static void gather(struct gathered *g, int64_t unix_s, double value)
{
    char *text = g->text[g->count];
    if (isfinite(value))
        snprintf(text, ROW_TEXT_BYTES, "%lld:%.17g", (long long)unix_s, value);
    else
        snprintf(text, ROW_TEXT_BYTES, "%lld:U", (long long)unix_s);
    g->rows[g->count++] = text;
}

int round_write(const char *path, const struct round_sample *list, size_t count, int64_t *last_s,
                char *why, size_t why_size)
{
    struct gathered g;
    int64_t newest = *last_s;
    g.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i].unix_s <= newest)
            continue;
        if (list[i].unix_s - ROUND_STEP_S > newest)
            gather(&g, list[i].unix_s - ROUND_STEP_S, NAN);
        gather(&g, list[i].unix_s, list[i].value);
        newest = list[i].unix_s;
        if (g.count < ROWS_AT_ONCE - 1 && i + 1 < count)
            continue;
        rrd_clear_error();
        if (rrd_updatex_r(path, NULL, RRD_SKIP_PAST_UPDATES, g.count, g.rows) != 0)
            return fail(why, why_size, path);
        *last_s = newest;
        g.count = 0;
    }
    rrd_clear_error();
    if (g.count > 0 && rrd_updatex_r(path, NULL, RRD_SKIP_PAST_UPDATES, g.count, g.rows) != 0)
        return fail(why, why_size, path);
    *last_s = newest;
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int64_t align_up(int64_t value, int64_t step)
{
    return (value + step - 1) / step * step;
}

/* A row is of the time that ends with it. */
static int add_row(int64_t end_s, int64_t step_s, double value, int64_t from_ms, int64_t to_ms,
                   struct points *out)
{
    int64_t end_ms = end_s * 1000, step_ms = step_s * 1000;
    int64_t spacing_ms = step_ms > SPACING_MS ? SPACING_MS : step_ms;
    for (int64_t back_ms = (step_ms - 1) / spacing_ms * spacing_ms; back_ms >= 0;
         back_ms -= spacing_ms) {
        int64_t at_ms = end_ms - back_ms;
        if (at_ms >= from_ms && at_ms <= to_ms && points_add(out, at_ms, value, NULL) != 0)
            return SERIES_ENOMEM;
    }
    return SERIES_OK;
}

/* The rows of one level that end within (after, until]. */
static int read_level(const char *path, int level, int64_t after_s, int64_t until_s,
                      int64_t from_ms, int64_t to_ms, struct points *out)
{
    time_t start = (time_t)after_s, end = (time_t)until_s;
    unsigned long step = (unsigned long)round_levels[level].step_s, columns = 0;
    char **names = NULL;
    rrd_value_t *data = NULL;
    int error = SERIES_OK;
    rrd_clear_error();
    if (rrd_fetch_r(path, "AVERAGE", &start, &end, &step, &columns, &names, &data) != 0)
        return SERIES_EDISK;
    size_t i = 0;
    for (int64_t at_s = start + (int64_t)step; at_s <= end && error == SERIES_OK && columns == 1;
         at_s += (int64_t)step, i++)
        if (at_s > after_s && at_s <= until_s && !isnan(data[i]))
            error = add_row(at_s, (int64_t)step, data[i], from_ms, to_ms, out);
    for (unsigned long k = 0; k < columns; k++)
        rrd_freemem(names[k]);
    rrd_freemem(names);
    rrd_freemem(data);
    return error;
}

int round_read(const char *path, int64_t last_s, int64_t from_ms, int64_t to_ms, struct points *out)
{
    int error = SERIES_OK;
    int64_t after_s = from_ms > 0 ? from_ms / 1000 - 1 : 0; /* rows that end after it matter */
    for (int i = ROUND_LEVELS - 1; i >= 0 && error == SERIES_OK; i--) {
        const struct round_level *l = &round_levels[i];
        int64_t begin_s = last_s - l->step_s * l->rows, until_s = last_s;
        if (i < ROUND_LEVELS - 1)
            begin_s = align_up(begin_s, round_levels[i + 1].step_s);
        if (i > 0)
            until_s =
                align_up(last_s - round_levels[i - 1].step_s * round_levels[i - 1].rows, l->step_s);
        if (begin_s < after_s)
            begin_s = after_s - after_s % l->step_s;
        if (to_ms / 1000 + l->step_s < until_s) /* the row in which `to` lies ends after it */
            until_s = align_up(to_ms / 1000 + 1, l->step_s);
        if (begin_s < until_s)
            error = read_level(path, i, begin_s, until_s, from_ms, to_ms, out);
    }
    return error;
}
