// SPDX-License-Identifier: Apache-2.0
#include "collector/picture/picture.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collector/picture/text.h"
#include "collector/picture/theme.h"
#include "lib/base/arena.h"

enum { ARGUMENTS_MAX = 2048, LABELLED_MARKS = 12, NAME_CHARACTERS = 36, ROWS_AT_ONCE = 500 };

/* librrd's own objects for fonts and layouts are shared by all of its graphs. */
static pthread_mutex_t drawing = PTHREAD_MUTEX_INITIALIZER;

struct work {
    const struct picture *p;
    const struct theme *theme;
    struct arena arena;
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
        double v = w->p->series[i].value[step];
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
    word(w, "--height=%u", p->height);
    word(w, "--full-size-mode");
    word(w, "--slope-mode");
    word(w, "--border=0");
    word(w, "--lower-limit=0");
    word(w, "--alt-autoscale-max");
    word(w, "--disable-rrdtool-tag");
    word(w, "--grid-dash=1:0");
    word(w, "--font=DEFAULT:8:DejaVu Sans");
    word(w, "--font=TITLE:11:DejaVu Sans Bold");
    word(w, "--font=AXIS:8:DejaVu Sans");
    word(w, "--font=UNIT:8:DejaVu Sans");
    word(w, "--font=LEGEND:8:DejaVu Sans Mono");
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        word(w, "--color=%s#%s", colours[i][0], colours[i][1]);
    if (p->title)
        word(w, "--title=%s", text_shown(&w->arena, p->title, 120, false));
    if (p->unit)
        word(w, "--vertical-label=%s", text_shown(&w->arena, p->unit, 40, false));
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

static void put_series(struct work *w)
{
    unsigned width = name_width(w);
    if (w->p->series_count > 0) {
        word(w, "COMMENT:%*s", (int)width + 2, "");
        word(w, "COMMENT:%8s ", "last");
        word(w, "COMMENT:%8s ", "mean");
        word(w, "COMMENT:%8s \\l", "max");
    }
    for (size_t i = 0; i < w->p->series_count; i++) {
        const char *colour = w->theme->series[i % THEME_SERIES];
        const char *name = text_padded(&w->arena, w->p->series[i].name, width);
        if (w->p->stack)
            word(w, "AREA:d%zu#%s:%s%s", i, colour, name, i > 0 ? ":STACK" : "");
        else
            word(w, "LINE1.6:s%zu#%s:%s", i, colour, name);
        word(w, "GPRINT:l%zu:%%8.2lf%%s", i);
        word(w, "GPRINT:m%zu:%%8.2lf%%s", i);
        word(w, "GPRINT:x%zu:%%8.2lf%%s\\l", i);
    }
    if (w->p->series_count == 0) {
        word(w, "HRULE:0#%s", w->theme->grid); /* without any line there is no picture */
        word(w, "COMMENT:no data\\c");
    }
}

/* Every mark has its line; the newest have their labels too. */
static void put_marks(struct work *w)
{
    const struct picture *p = w->p;
    bool days = end_s(p) - p->start_s > 86400;
    size_t silent = p->mark_count > LABELLED_MARKS ? p->mark_count - LABELLED_MARKS : 0;
    for (size_t i = 0; i < p->mark_count; i++) {
        const struct picture_mark *m = &p->marks[i];
        const char *colour = m->is_deploy ? w->theme->deploy : w->theme->mark;
        time_t at = (time_t)m->unix_s;
        struct tm tm;
        char when[32];
        localtime_r(&at, &tm);
        strftime(when, sizeof when, days ? "%b %d %H\\:%M" : "%H\\:%M", &tm);
        if (i < silent)
            word(w, "VRULE:%lld#%s", (long long)m->unix_s, colour);
        else
            word(w, "VRULE:%lld#%s:%s %s%s", (long long)m->unix_s, colour, when,
                 text_shown(&w->arena, m->label, 60, true), i + 1 == p->mark_count ? "\\l" : "");
    }
    if (silent > 0)
        word(w, "COMMENT:and %zu earlier\\l", silent);
}

/* What period it is, in which zone: a picture travels further than its sender's clock. */
static void put_period(struct work *w)
{
    char from[64], to[64];
    struct tm tm;
    time_t start = (time_t)w->p->start_s, end = (time_t)end_s(w->p);
    localtime_r(&start, &tm);
    strftime(from, sizeof from, "%Y-%m-%d %H\\:%M", &tm);
    localtime_r(&end, &tm);
    strftime(to, sizeof to, "%Y-%m-%d %H\\:%M %Z", &tm);
    word(w, "COMMENT:%s to %s\\l", from, to);
}

/* ---- drawing ----------------------------------------------------------------------------- */

/* Glyphs are shapes in librrd's SVG: the words stand beside them, for search and screen readers. */
static void describe(const struct picture *p, struct buffer *out)
{
    buffer_text(out, "<title>");
    text_xml(out, p->title ? p->title : "graph");
    buffer_text(out, "</title>\n<desc>");
    for (size_t i = 0; i < p->series_count; i++) {
        text_xml(out, p->series[i].name);
        buffer_byte(out, '\n');
    }
    for (size_t i = 0; i < p->mark_count; i++) {
        text_xml(out, p->marks[i].label);
        buffer_byte(out, '\n');
    }
    buffer_text(out, "</desc>\n");
}

static void take_image(struct work *w, const rrd_blob_t *image, struct buffer *out)
{
    const char *bytes = (const char *)image->ptr;
    size_t length = image->size, head = 0;
    const char *svg = w->p->svg ? memmem(bytes, length, "<svg", 4) : NULL;
    const char *end = svg ? memchr(svg, '>', length - (size_t)(svg - bytes)) : NULL;
    if (end) {
        head = (size_t)(end - bytes) + 1;
        buffer_append(out, bytes, head);
        describe(w->p, out);
    }
    buffer_append(out, bytes + head, length - head);
}

static int draw(struct work *w, struct buffer *out)
{
    if (w->failed)
        return fail(w, "the graph", "no memory");
    int result = -1;
    pthread_mutex_lock(&drawing);
    rrd_clear_error();
    rrd_info_t *info = rrd_graph_v(w->count, w->list);
    for (rrd_info_t *i = info; i; i = i->next)
        if (strcmp(i->key, "image") == 0 && i->type == RD_I_BLO) {
            take_image(w, &i->value.u_blo, out);
            result = 0;
        }
    if (result != 0)
        fail(w, "the graph", rrd_get_error());
    rrd_info_free(info);
    pthread_mutex_unlock(&drawing);
    if (result == 0 && out->failed)
        return fail(w, "the graph", "no memory");
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
    int result = check(w);
    if (result == 0 && p->series_count > 0) {
        result = make_directory(w);
        if (result == 0)
            result = create_file(w);
        if (result == 0)
            result = fill_file(w);
    }
    if (result == 0) {
        put_frame(w);
        put_values(w);
        put_series(w);
        put_marks(w);
        put_period(w);
        result = draw(w, out);
    }
    if (*w->file)
        unlink(w->file);
    if (*w->directory)
        rmdir(w->directory);
    arena_fini(&w->arena);
    free(w);
    return result;
}
