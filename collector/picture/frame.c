// SPDX-License-Identifier: Apache-2.0
#include "collector/picture/frame.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "collector/picture/text.h"

enum {
    HEAD = 30,       /* title and period */
    TITLE_BASE = 22, /* their base line */
    SIDE = 14,       /* free to the left and right of it */
    ROW = 17,        /* of labels */
    ROW_BASE = 6,    /* from the plot up to the lowest row's base line */
    ASCENT = 10,     /* of a label */
    PILL = 14,       /* a number's height */
    LABEL_CHARACTERS = 40,
    TIME_GAP = 5, /* from a label's text to its time */
};

static int64_t end_s(const struct picture *p)
{
    return p->start_s + (int64_t)(p->steps - 1) * p->step_s;
}

/* ---- words ------------------------------------------------------------------------------- */

static bool is_short(const struct picture *p)
{
    return end_s(p) - p->start_s < 900;
}

static const char *day_text(struct arena *a, int64_t unix_s)
{
    time_t at = (time_t)unix_s;
    struct tm tm;
    char text[64];
    localtime_r(&at, &tm);
    strftime(text, sizeof text, "%Y-%m-%d ", &tm);
    const char *copy = text_format(a, "%s", text);
    return copy ? copy : "";
}

const char *frame_time(const struct picture *p, int64_t unix_s, struct arena *arena)
{
    time_t at = (time_t)unix_s;
    struct tm tm;
    char text[64];
    localtime_r(&at, &tm);
    if (is_short(p))
        strftime(text, sizeof text, "%H:%M:%S", &tm);
    else if (end_s(p) - p->start_s > 86400)
        strftime(text, sizeof text, "%b %d %H:%M", &tm);
    else
        strftime(text, sizeof text, "%H:%M", &tm);
    const char *copy = text_format(arena, "%s", text);
    return copy ? copy : "";
}

/* What period it is, in which zone: a picture travels further than its sender's clock. */
static const char *period(const struct frame *f)
{
    const struct picture *p = f->picture;
    time_t at = (time_t)p->start_s, last = (time_t)end_s(p);
    struct tm from, to;
    char begin[16], end[64];
    localtime_r(&at, &from);
    localtime_r(&last, &to);
    if (is_short(p)) {
        strftime(begin, sizeof begin, "%H:%M:%S", &from);
        strftime(end, sizeof end, "%H:%M:%S %Z", &to);
    } else {
        strftime(begin, sizeof begin, "%H:%M", &from);
        strftime(end, sizeof end, "%H:%M %Z", &to);
    }
    bool is_one_day = from.tm_yday == to.tm_yday && from.tm_year == to.tm_year;
    const char *text = text_format(f->arena, "%s%s to %s%s", day_text(f->arena, at), begin,
                                   is_one_day ? "" : day_text(f->arena, last), end);
    return text ? text : "";
}

/* Cut where it would be wider. */
static const char *fitted(struct frame *f, enum pen_font font, const char *text, double width)
{
    unsigned characters = text_characters(text);
    const char *shown = text_shown(f->arena, text, characters < 120 ? characters : 120, false);
    while (characters > 1 && pen_width(&f->pen, font, shown) > width) {
        characters -= 1 + characters / 20;
        shown = text_shown(f->arena, text, characters, false);
    }
    return shown;
}

/* For search and for screen readers, and as a tooltip. */
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

/* ---- planning ---------------------------------------------------------------------------- */

static double x_of(const struct frame_plot *plot, int64_t unix_s)
{
    return plot->left +
           (double)(unix_s - plot->start_s) * plot->width / (double)(plot->end_s - plot->start_s);
}

/* Where the plot will be, more or less: only librrd knows exactly, once it is drawn. */
static struct frame_plot guess(const struct picture *p)
{
    double left = p->unit ? 68 : 54;
    return (struct frame_plot){left, 0, p->width - left - SIDE, 0, p->start_s, end_s(p)};
}

static int rows_most(const struct picture *p)
{
    return p->height < 160 ? 1 : p->height < 330 ? 2 : 3;
}

static void set_positions(struct frame *f, const struct frame_plot *plot)
{
    for (size_t i = 0; i < f->count; i++)
        f->labels[i].x = x_of(plot, f->picture->marks[f->first + i].unix_s);
}

static bool place_words(struct frame *f, bool with_times)
{
    const struct picture *p = f->picture;
    for (size_t i = 0; i < f->count; i++) {
        const struct picture_mark *m = &p->marks[f->first + i];
        f->texts[i] = text_shown(f->arena, m->label, LABEL_CHARACTERS, false);
        f->times[i] = with_times ? frame_time(p, m->unix_s, f->arena) : "";
        f->labels[i].width = pen_width(&f->pen, PEN_STRONG, f->texts[i]);
        if (with_times)
            f->labels[i].width += TIME_GAP + pen_width(&f->pen, PEN_TEXT, f->times[i]);
    }
    return mark_labels_place(f->labels, f->count, SIDE, p->width - SIDE / 2.0, rows_most(p));
}

static void place_numbers(struct frame *f)
{
    f->is_numbered = true;
    for (size_t i = 0; i < f->count; i++) {
        const char *text = text_format(f->arena, "%zu", i + 1);
        f->texts[i] = text ? text : "";
        f->times[i] = "";
        f->labels[i].width = pen_width(&f->pen, PEN_STRONG, f->texts[i]) + 8;
    }
    mark_labels_place_numbers(f->labels, f->count, rows_most(f->picture));
}

void frame_plan(struct frame *f, const struct picture *p, const struct theme *theme,
                struct arena *arena, struct buffer *out)
{
    struct frame_plot plot = guess(p);
    *f = (struct frame){.picture = p, .theme = theme, .arena = arena};
    f->count = p->mark_count < FRAME_LABELS ? p->mark_count : FRAME_LABELS;
    f->first = p->mark_count - f->count;
    pen_begin(&f->pen, p->svg, p->width, p->height, theme->back, out);
    set_positions(f, &plot);
    if (f->first > 0 || (!place_words(f, true) && !place_words(f, false)))
        place_numbers(f);
    int rows = 0;
    for (size_t i = 0; i < f->count; i++)
        rows = f->labels[i].row >= rows ? f->labels[i].row + 1 : rows;
    f->band = (unsigned)(HEAD + rows * ROW);
}

/* ---- painting ---------------------------------------------------------------------------- */

static void paint_head(struct frame *f)
{
    const struct picture *p = f->picture;
    const char *when = period(f);
    double room = p->width - 2.0 * SIDE, width = pen_width(&f->pen, PEN_TEXT, when);
    if (p->title && width > room / 2)
        width = 0; /* it is on the axis, too */
    if (p->title)
        pen_text(&f->pen, PEN_TITLE, SIDE, TITLE_BASE, f->theme->font,
                 fitted(f, PEN_TITLE, p->title, room - width - SIDE));
    if (width > 0)
        pen_text(&f->pen, PEN_TEXT, p->width - SIDE - width, TITLE_BASE, f->theme->faint, when);
}

static const char *colour_of(const struct frame *f, size_t mark)
{
    return f->picture->marks[mark].is_deploy ? f->theme->deploy : f->theme->mark;
}

static void paint_label(struct frame *f, size_t i, double base)
{
    const struct mark_label *l = &f->labels[i];
    const char *colour = colour_of(f, f->first + i);
    if (f->is_numbered) {
        pen_box(&f->pen, l->left, base - PILL + 3, l->width, PILL, colour);
        pen_text(&f->pen, PEN_STRONG, l->left + 4, base, f->theme->back, f->texts[i]);
        return;
    }
    pen_text(&f->pen, PEN_STRONG, l->left, base, colour, f->texts[i]);
    if (*f->times[i])
        pen_text(&f->pen, PEN_TEXT,
                 l->left + TIME_GAP + pen_width(&f->pen, PEN_STRONG, f->texts[i]), base,
                 f->theme->faint, f->times[i]);
}

/* Upon a paler band, so that it can be told from an area of any colour. */
static void paint_line(struct frame *f, size_t mark, double x, double from_y, double plot_y,
                       double to_y)
{
    bool is_crowded = f->picture->mark_count > FRAME_LABELS;
    if (!is_crowded)
        pen_vertical(&f->pen, x, plot_y, to_y, 4, f->theme->halo);
    pen_vertical(&f->pen, x, from_y, to_y, is_crowded ? 1 : 2, colour_of(f, mark));
}

static void paint_marks(struct frame *f, const struct frame_plot *plot)
{
    double top = f->band + plot->top, bottom = top + plot->height;
    for (size_t i = 0; i < f->picture->mark_count; i++) {
        double from = top;
        if (i >= f->first && f->labels[i - f->first].row != MARK_LABEL_UNPLACED)
            from =
                top - ROW_BASE - f->labels[i - f->first].row * ROW - (f->is_numbered ? 0 : ASCENT);
        paint_line(f, i, x_of(plot, f->picture->marks[i].unix_s), from, top, bottom);
    }
    for (size_t i = 0; i < f->count; i++)
        if (f->labels[i].row != MARK_LABEL_UNPLACED)
            paint_label(f, i, top - ROW_BASE - f->labels[i].row * ROW);
}

static void paint_absence(struct frame *f, const struct frame_plot *plot)
{
    static const char text[] = "no data";
    pen_text(&f->pen, PEN_TEXT, plot->left + (plot->width - pen_width(&f->pen, PEN_TEXT, text)) / 2,
             f->band + plot->top + plot->height / 2, f->theme->faint, text);
}

/* With the plot's true place. Should they have room no longer, they stay as they were planned. */
static void place_again(struct frame *f, const struct frame_plot *plot)
{
    struct mark_label planned[FRAME_LABELS];
    int rows = (int)(f->band - HEAD) / ROW;
    memcpy(planned, f->labels, sizeof planned);
    set_positions(f, plot);
    if (f->is_numbered) {
        mark_labels_place_numbers(f->labels, f->count, rows);
    } else if (!mark_labels_place(f->labels, f->count, SIDE / 2.0, f->picture->width, rows)) {
        for (size_t i = 0; i < f->count; i++) {
            f->labels[i].left = planned[i].left + f->labels[i].x - planned[i].x;
            f->labels[i].row = planned[i].row;
        }
    }
}

int frame_paint(struct frame *f, const char *bytes, size_t length, const struct frame_plot *plot)
{
    if (!plot) {
        pen_end(&f->pen);
        return -1;
    }
    if (f->pen.svg)
        describe(f->picture, f->pen.out);
    pen_picture(&f->pen, bytes, length, f->band);
    paint_head(f);
    place_again(f, plot);
    paint_marks(f, plot);
    if (f->picture->series_count == 0)
        paint_absence(f, plot);
    return pen_end(&f->pen);
}
