// SPDX-License-Identifier: Apache-2.0
#include "cli/top_keys.h"

#include <ctype.h>
#include <curses.h>
#include <stdio.h>
#include <string.h>

static const double intervals_s[] = {1, 2, 5, 10, 30, 60};
enum { INTERVALS = sizeof intervals_s / sizeof *intervals_s, CONTROL_L = 12 };

void top_state_init(struct top_state *s, enum top_view view)
{
    *s = (struct top_state){.view = view, .interval_s = 2};
    for (int i = 0; i < TOP_VIEWS; i++)
        s->column[i] = top_view_info((enum top_view)i)->sorted_by;
}

void top_state_fit(struct top_state *s, size_t rows, size_t page)
{
    if (s->selected >= rows)
        s->selected = rows > 0 ? rows - 1 : 0;
    if (s->selected < s->first)
        s->first = s->selected;
    if (page > 0 && s->selected >= s->first + page)
        s->first = s->selected - page + 1;
    if (rows <= page)
        s->first = 0;
}

/* ---- the filter --------------------------------------------------------------------------- */

static void drop_character(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && ((unsigned char)text[--length] & 0xc0) == 0x80)
        ;
    text[length] = '\0';
}

static enum top_action type(struct top_state *s, int key)
{
    size_t length = strlen(s->filter);
    if (key == '\n' || key == '\r' || key == KEY_ENTER) {
        s->typing = false;
    } else if (key == TOP_KEY_ESCAPE) {
        s->typing = false;
        s->filter[0] = '\0';
    } else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
        drop_character(s->filter);
    } else if (key >= ' ' && key <= 0xff && length + 1 < sizeof s->filter) {
        s->filter[length] = (char)key;
        s->filter[length + 1] = '\0';
    } else {
        return TOP_NOTHING;
    }
    s->selected = s->first = 0;
    return TOP_DRAW;
}

/* ---- moving ------------------------------------------------------------------------------- */

static bool move_selected(struct top_state *s, int key, const struct top_extent *e)
{
    size_t last = e->rows > 0 ? e->rows - 1 : 0, page = e->page > 0 ? e->page : 1;
    size_t at = s->selected;
    switch (key) {
    case KEY_UP:
        at = at > 0 ? at - 1 : 0;
        break;
    case KEY_DOWN:
        at++;
        break;
    case KEY_PPAGE:
        at = at > page ? at - page : 0;
        break;
    case KEY_NPAGE:
        at += page;
        break;
    case KEY_HOME:
        at = 0;
        break;
    case KEY_END:
        at = last;
        break;
    default:
        return false;
    }
    s->selected = at < last ? at : last;
    top_state_fit(s, e->rows, e->page);
    return true;
}

/* ---- views -------------------------------------------------------------------------------- */

static enum top_action show(struct top_state *s, enum top_view view)
{
    s->view = view;
    s->first = s->selected = 0;
    return TOP_ASK;
}

static enum top_action enter(struct top_state *s, const struct top_row *row)
{
    if (s->view != TOP_CACHES || !row || !row->texts[0])
        return TOP_NOTHING;
    snprintf(s->cache_title, sizeof s->cache_title, "%s", row->texts[0]);
    if (row->id > 0)
        snprintf(s->cache, sizeof s->cache, "%lld", row->id);
    else
        snprintf(s->cache, sizeof s->cache, "%s", row->texts[0]);
    s->filter[0] = '\0'; /* it was about caches */
    return show(s, TOP_KEYS);
}

/* One step back: from the help, the filter, the cache. */
static enum top_action leave(struct top_state *s)
{
    if (s->help) {
        s->help = false;
        return TOP_DRAW;
    }
    if (s->filter[0]) {
        s->filter[0] = '\0';
        return TOP_DRAW;
    }
    if (!s->cache[0])
        return TOP_NOTHING;
    s->cache[0] = s->cache_title[0] = '\0';
    return show(s, TOP_CACHES);
}

static enum top_action change_interval(struct top_state *s, int by)
{
    int at = 0;
    while (at + 1 < INTERVALS && intervals_s[at] < s->interval_s)
        at++;
    at += by;
    if (at < 0 || at >= INTERVALS)
        return TOP_NOTHING;
    s->interval_s = intervals_s[at];
    return TOP_DRAW;
}

/* Other columns want other lists of the taps'. */
static enum top_action sort_by(struct top_state *s, int column)
{
    if (column == s->column[s->view])
        return TOP_NOTHING;
    s->column[s->view] = column;
    s->reversed[s->view] = false;
    s->selected = s->first = 0;
    return TOP_ASK;
}

static enum top_action obey(struct top_state *s, int key, const struct top_extent *extent)
{
    switch (key) {
    case 'Q':
        return TOP_QUIT;
    case 'T':
        s->reversed[s->view] = !s->reversed[s->view];
        return TOP_DRAW;
    case 'P':
        s->paused = !s->paused;
        return s->paused ? TOP_DRAW : TOP_ASK;
    case 'H':
    case '?':
        s->help = !s->help;
        return TOP_DRAW;
    case '/':
        s->typing = true;
        s->help = false;
        return TOP_DRAW;
    case '+':
    case '-':
        return change_interval(s, key == '+' ? 1 : -1);
    case '\t':
        return show(s, (enum top_view)((s->view + 1) % TOP_VIEWS));
    case '\n':
    case '\r':
    case KEY_ENTER:
        return enter(s, extent->selected);
    case TOP_KEY_ESCAPE:
    case KEY_BACKSPACE:
    case 127:
    case '\b':
        return leave(s);
    case KEY_RESIZE:
    case CONTROL_L:
        return TOP_DRAW;
    default:
        return TOP_NOTHING;
    }
}

enum top_action top_key(struct top_state *s, int key, const struct top_extent *extent)
{
    if (s->typing && key != KEY_RESIZE)
        return type(s, key);
    if (move_selected(s, key, extent))
        return TOP_DRAW;
    if (key >= '1' && key < '1' + TOP_VIEWS)
        return show(s, (enum top_view)(key - '1'));
    if (key == KEY_BTAB)
        return show(s, (enum top_view)((s->view + TOP_VIEWS - 1) % TOP_VIEWS));
    int upper = key > 0 && key < 0x80 ? toupper(key) : key;
    int column = upper >= 'A' && upper <= 'Z' ? top_column_of_letter(s->view, (char)upper) : -1;
    return column >= 0 ? sort_by(s, column) : obey(s, upper, extent);
}
