// SPDX-License-Identifier: Apache-2.0
#include "collector/picture/picture.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/picture/frame.h"
#include "collector/picture/text.h"
#include "collector/picture/theme.h"
#include "lib/base/arena.h"

enum { ARGUMENTS_MAX = 2048, NAME_CHARACTERS = 36, ROWS_AT_ONCE = 500 };
enum {
    CHARACTER_WIDTH = 7, /* of the legend's font, in pixels */
    LINE_HEIGHT = 14,
    LEGEND_SIDES = 30,
    AXIS_HEIGHT = 40,
    PLOT_HEIGHT_LEAST = 70, /* with less the legend is left out */
    UNIT_HEIGHT_LEAST = 200,
    ONE_COLUMN = 6,        /* series; more stand in two where there is room */
    ENTRY_CHARACTERS = 34, /* of an entry behind its name */
    MARK_CHARACTERS = 20,  /* of a mark's number and time, and what is between two */
};

/* Fonts and layouts are shared by all graphs, librrd's as well as the frame's. */
static pthread_mutex_t drawing = PTHREAD_MUTEX_INITIALIZER;

struct work {
    const struct picture *p;
    const struct theme *theme;
    struct arena arena;
    struct frame frame;
    unsigned name_width, columns, mark_width, mark_columns; /* of the legend, in characters */
    bool has_legend;
    const char *unit;             /* the picture's, or a smaller one */
    double in_unit;               /* how many of it are one of the picture's */
    bool without_prefixes;        /* k, M, m … mean nothing before the unit */
    char directory[64], file[80]; /* "": not made */
    char *list[ARGUMENTS_MAX];
    int count;
    bool failed; /* memory, or too many arguments */
    char *why;
    size_t why_size;
};

static int fail(struct work *w, const char *what, const char *reason)
{
    snprintf(w->why, w->why_size, "%s: %s", what, reason ? reason : "no reason given");
    return -1;
}

/* ---- the unit ---------------------------------------------------------------------------- */

static double greatest_of(const struct picture *p)
{
    double greatest = 0;
    for (size_t i = 0; i < p->series_count; i++)
        for (size_t k = 0; k < p->steps; k++)
            if (isfinite(p->series[i].value[k]) && fabs(p->series[i].value[k]) > greatest)
                greatest = fabs(p->series[i].value[k]);
    return greatest;
}

/* Parts of a second are told in the words that people use: "20 m" could be minutes. */
static void choose_unit(struct work *w)
{
    const char *unit = w->p->unit;
    double greatest = greatest_of(w->p);
    w->unit = unit;
    w->in_unit = 1;
    if (!unit || (strcmp(unit, "seconds") != 0 && strcmp(unit, "s") != 0))
        return;
    w->without_prefixes = true;
    if (greatest > 0 && greatest < 1) {
        w->in_unit = greatest < 0.001 ? 1e6 : 1e3;
        w->unit = greatest < 0.001 ? "microseconds" : "milliseconds";
    }
}

/* ---- the temporary RRD ------------------------------------------------------------------- */

static int make_directory(struct work *w)
{
    const char *base = getenv("TMPDIR");
    int length = snprintf(w->directory, sizeof w->directory, "%s/weft-graph-XXXXXX",
                          base && *base && strlen(base) < 32 ? base : "/tmp");
    if (length >= (int)sizeof w->directory || !mkdtemp(w->directory)) {
        *w->directory = '\0';
        return fail(w, "no directory for the graph's values", strerror(errno));
    }
    snprintf(w->file, sizeof w->file, "%s/values.rrd", w->directory);
    return 0;
}

static int create_file(struct work *w)
{
    const struct picture *p = w->p;
    const char *words[PICTURE_SERIES_MOST + 1];
    int count = 0;
    for (size_t i = 0; i < p->series_count; i++)
        words[count++] = text_format(&w->arena, "DS:s%zu:GAUGE:%lld:U:U", i, (long long)p->step_s);
    words[count++] = text_format(&w->arena, "RRA:AVERAGE:0.5:1:%zu", p->steps + 1);
    for (int i = 0; i < count; i++)
        if (!words[i])
            return fail(w, "the graph's values", "no memory");
    rrd_clear_error();
    if (rrd_create_r(w->file, (unsigned long)p->step_s, (time_t)(p->start_s - p->step_s), count,
                     words) != 0)
        return fail(w, "the graph's values", rrd_get_error());
    return 0;
}

/* "TIME:VALUE:VALUE…"; NULL: no memory. */
static const char *row_text(struct work *w, struct arena *arena, size_t step)
{
    size_t room = 32 + w->p->series_count * 32, at;
    char *text = arena_alloc(arena, room);
    if (!text)
        return NULL;
    at = (size_t)snprintf(text, room, "%lld",
                          (long long)(w->p->start_s + (int64_t)step * w->p->step_s));
    for (size_t i = 0; i < w->p->series_count; i++) {
        double v = w->p->series[i].value[step] * w->in_unit;
        at += (size_t)(isfinite(v) ? snprintf(text + at, room - at, ":%.15g", v)
                                   : snprintf(text + at, room - at, ":U"));
    }
    return text;
}

static int fill_file(struct work *w)
{
    const char *rows[ROWS_AT_ONCE];
    struct arena arena;
    int result = 0;
    arena_init(&arena, 64 << 10);
    for (size_t done = 0; done < w->p->steps && result == 0;) {
        int count = 0;
        for (; count < ROWS_AT_ONCE && done < w->p->steps && result == 0; done++) {
            rows[count] = row_text(w, &arena, done);
            result = rows[count++] ? 0 : fail(w, "the graph's values", "no memory");
        }
        rrd_clear_error();
        if (result == 0 && rrd_update_r(w->file, NULL, count, rows) != 0)
            result = fail(w, "the graph's values", rrd_get_error());
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return result;
}

/* ---- librrd's words ---------------------------------------------------------------------- */

static void word(struct work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void word(struct work *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = w->count < ARGUMENTS_MAX ? text_vformat(&w->arena, format, args) : NULL;
    va_end(args);
    if (text)
        w->list[w->count++] = text;
    else
        w->failed = true;
}

static int64_t end_s(const struct picture *p)
{
    return p->start_s + (int64_t)(p->steps - 1) * p->step_s;
}

static void put_frame(struct work *w)
{
    const struct picture *p = w->p;
    const struct theme *t = w->theme;
    const char *const colours[][2] = {
        {"BACK", t->back},   {"CANVAS", t->canvas},    {"SHADEA", t->back}, {"SHADEB", t->back},
        {"GRID", t->grid},   {"MGRID", t->grid_major}, {"FONT", t->font},   {"AXIS", t->axis},
        {"FRAME", t->frame}, {"ARROW", t->back}};
    word(w, "graph");
    word(w, "-");
    word(w, "--imgformat=%s", p->svg ? "SVG" : "PNG");
    word(w, "--start=%lld", (long long)p->start_s);
    word(w, "--end=%lld", (long long)end_s(p));
    word(w, "--width=%u", p->width);
    word(w, "--height=%u", p->height - w->frame.band);
    word(w, "--full-size-mode");
    word(w, "--slope-mode");
    word(w, "--border=0");
    word(w, "--lower-limit=0");
    word(w, "--alt-autoscale-max");
    word(w, "--disable-rrdtool-tag");
    word(w, "--grid-dash=1:0");
    word(w, "--font=DEFAULT:8:DejaVu Sans");
    word(w, "--font=AXIS:8:DejaVu Sans");
    word(w, "--font=UNIT:8:DejaVu Sans");
    word(w, "--font=LEGEND:8:DejaVu Sans Mono");
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        word(w, "--color=%s#%s", colours[i][0], colours[i][1]);
    if (!w->has_legend)
        word(w, "--no-legend");
    if (p->series_count == 0)
        word(w, "--y-grid=none");
    if (w->without_prefixes)
        word(w, "--units-exponent=0");
    if (p->unit && p->height >= UNIT_HEIGHT_LEAST)
        word(w, "--vertical-label=%s", text_shown(&w->arena, w->unit, 40, false));
}

static unsigned name_width(const struct work *w)
{
    unsigned widest = 4;
    for (size_t i = 0; i < w->p->series_count; i++) {
        unsigned n = text_characters(w->p->series[i].name);
        widest = n > widest ? n : widest;
    }
    return widest < NAME_CHARACTERS ? widest : NAME_CHARACTERS;
}

static void put_values(struct work *w)
{
    for (size_t i = 0; i < w->p->series_count; i++) {
        word(w, "DEF:s%zu=%s:s%zu:AVERAGE", i, w->file, i);
        /* An area stands on those below it, which must not end where one of them is missing. */
        if (w->p->stack)
            word(w, "CDEF:d%zu=s%zu,UN,0,s%zu,IF", i, i, i);
        word(w, "VDEF:l%zu=s%zu,LAST", i, i);
        word(w, "VDEF:m%zu=s%zu,AVERAGE", i, i);
        word(w, "VDEF:x%zu=s%zu,MAXIMUM", i, i);
    }
}

/* The legend: how it is laid out, and whether it leaves the plot its place. */

static void plan_legend(struct work *w)
{
    const struct picture *p = w->p;
    const struct frame *f = &w->frame;
    unsigned room = (p->width - LEGEND_SIDES) / CHARACTER_WIDTH;
    w->name_width = name_width(w);
    w->columns =
        p->series_count > ONE_COLUMN && 2 * (w->name_width + ENTRY_CHARACTERS) <= room ? 2 : 1;
    for (size_t i = 0; f->is_numbered && i < f->count; i++) {
        unsigned n = text_characters(p->marks[f->first + i].label) + MARK_CHARACTERS;
        w->mark_width = n > w->mark_width ? n : w->mark_width;
    }
    w->mark_columns = w->mark_width > 0 && room > w->mark_width ? room / w->mark_width : 1;
    size_t lines = (p->series_count > 0) + (p->series_count + w->columns - 1) / w->columns +
                   (f->is_numbered ? (f->count + w->mark_columns - 1) / w->mark_columns : 0) +
                   (f->first > 0);
    w->has_legend = p->height >= f->band + lines * LINE_HEIGHT + AXIS_HEIGHT + PLOT_HEIGHT_LEAST &&
                    room >= w->name_width + ENTRY_CHARACTERS;
}

static const char *line_end(size_t i, size_t count, size_t columns)
{
    return (i + 1) % columns == 0 || i + 1 == count ? "\\l" : "";
}

static void put_series(struct work *w)
{
    const struct picture *p = w->p;
    for (size_t i = 0; p->series_count > 0 && i < w->columns; i++) {
        word(w, "COMMENT:%*s", (int)w->name_width + 2, "");
        word(w, "COMMENT:%8s ", "last");
        word(w, "COMMENT:%8s ", "mean");
        word(w, "COMMENT:%8s %s", "max", line_end(i, w->columns, w->columns));
    }
    for (size_t i = 0; i < p->series_count; i++) {
        const char *colour = w->theme->series[i % THEME_SERIES];
        const char *name = text_padded(&w->arena, p->series[i].name, w->name_width);
        if (p->stack)
            word(w, "AREA:d%zu#%s:%s%s", i, colour, name, i > 0 ? ":STACK" : "");
        else
            word(w, "LINE1.6:s%zu#%s:%s", i, colour, name);
        const char *prefix = w->without_prefixes ? " " : "%s";
        word(w, "GPRINT:l%zu:%%8.2lf%s", i, prefix);
        word(w, "GPRINT:m%zu:%%8.2lf%s", i, prefix);
        word(w, "GPRINT:x%zu:%%8.2lf%s%s", i, prefix, line_end(i, p->series_count, w->columns));
    }
    if (p->series_count == 0)
        word(w, "HRULE:0#%s", w->theme->grid); /* without any line there is no picture */
}

/* What the numbers at the marks' lines stand for. */
static void put_marks(struct work *w)
{
    const struct frame *f = &w->frame;
    for (size_t i = 0; f->is_numbered && i < f->count; i++) {
        const struct picture_mark *m = &w->p->marks[f->first + i];
        const char *when = frame_time(w->p, m->unix_s, &w->arena);
        const char *text = text_format(&w->arena, "%2s %s %s", f->texts[i], when, m->label);
        word(w, "COMMENT:%s%s", text_padded(&w->arena, text ? text : "", w->mark_width),
             line_end(i, f->count, w->mark_columns));
    }
    if (f->first > 0)
        word(w, "COMMENT: and %zu earlier\\l", f->first);
}

/* ---- drawing ----------------------------------------------------------------------------- */

static double number_of(const rrd_info_t *info)
{
    return info->type == RD_I_VAL   ? info->value.u_val
           : info->type == RD_I_CNT ? (double)info->value.u_cnt
           : info->type == RD_I_INT ? (double)info->value.u_int
                                    : 0;
}

static void take_place(struct frame_plot *plot, const rrd_info_t *info)
{
    if (strcmp(info->key, "graph_left") == 0)
        plot->left = number_of(info);
    else if (strcmp(info->key, "graph_top") == 0)
        plot->top = number_of(info);
    else if (strcmp(info->key, "graph_width") == 0)
        plot->width = number_of(info);
    else if (strcmp(info->key, "graph_height") == 0)
        plot->height = number_of(info);
}

/* librrd's part, and what stands around it. */
static int draw(struct work *w)
{
    if (!pen_has_font(&w->frame.pen)) {
        fail(w, "the graph", "no font is installed on the collector's host: fonts-dejavu-core");
        return frame_paint(&w->frame, NULL, 0, NULL);
    }
    struct frame_plot plot = {.start_s = w->p->start_s, .end_s = end_s(w->p)};
    const rrd_blob_t *image = NULL;
    rrd_clear_error();
    rrd_info_t *info = w->failed ? NULL : rrd_graph_v(w->count, w->list);
    for (rrd_info_t *i = info; i; i = i->next) {
        take_place(&plot, i);
        if (strcmp(i->key, "image") == 0 && i->type == RD_I_BLO)
            image = &i->value.u_blo;
    }
    if (!image)
        fail(w, "the graph", w->failed ? "no memory" : rrd_get_error());
    int result = frame_paint(&w->frame, image ? (const char *)image->ptr : NULL,
                             image ? image->size : 0, image ? &plot : NULL);
    rrd_info_free(info);
    if (image && result != 0)
        fail(w, "the graph", "no memory");
    return result;
}

static int check(struct work *w)
{
    const struct picture *p = w->p;
    if (p->width < PICTURE_WIDTH_LEAST || p->width > PICTURE_WIDTH_MOST ||
        p->height < PICTURE_HEIGHT_LEAST || p->height > PICTURE_HEIGHT_MOST)
        return fail(w, "the graph", "its size is beyond the limits");
    if (p->steps < 2 || p->steps > PICTURE_STEPS_MOST || p->step_s < 1 ||
        p->start_s % p->step_s != 0 || p->start_s <= p->step_s)
        return fail(w, "the graph", "its times are beyond the limits");
    if (p->series_count > PICTURE_SERIES_MOST || p->mark_count > PICTURE_MARKS_MOST)
        return fail(w, "the graph", "more series or marks than can be drawn");
    return 0;
}

int picture_draw(const struct picture *p, struct buffer *out, char *why, size_t why_size)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    w->p = p;
    w->theme = theme_of(p->dark);
    w->why = why;
    w->why_size = why_size;
    arena_init(&w->arena, 16 << 10);
    size_t before = out->length;
    int result = check(w);
    if (result == 0)
        choose_unit(w);
    if (result == 0 && p->series_count > 0) {
        result = make_directory(w);
        if (result == 0)
            result = create_file(w);
        if (result == 0)
            result = fill_file(w);
    }
    if (result == 0) {
        pthread_mutex_lock(&drawing);
        frame_plan(&w->frame, p, w->theme, &w->arena, out);
        plan_legend(w);
        put_frame(w);
        put_values(w);
        put_series(w);
        put_marks(w);
        result = draw(w);
        pthread_mutex_unlock(&drawing);
    }
    if (result != 0)
        out->length = before;
    if (*w->file)
        unlink(w->file);
    if (*w->directory)
        rmdir(w->directory);
    arena_fini(&w->arena);
    free(w);
    return result;
}
