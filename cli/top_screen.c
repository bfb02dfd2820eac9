// SPDX-License-Identifier: Apache-2.0
#include "cli/top_screen.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"
#include "cli/top_text.h"

static SCREEN *screen;

/* ---- opening ------------------------------------------------------------------------------ */

bool top_screen_open(char *why, size_t why_size)
{
    const char *terminal = getenv("TERM");
    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
        snprintf(why, why_size, "this is no terminal");
        return false;
    }
    if (!terminal || !*terminal || strcmp(terminal, "dumb") == 0) {
        snprintf(why, why_size, "a dumb terminal cannot be drawn on");
        return false;
    }
    screen = newterm(NULL, stdout, stdin);
    if (!screen) {
        snprintf(why, why_size, "nothing is known of the terminal \"%.60s\"", terminal);
        return false;
    }
    set_escdelay(50);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    curs_set(0);
    return true;
}

void top_screen_close(void)
{
    if (!screen)
        return;
    endwin();
    delscreen(screen);
    screen = NULL;
}

int top_screen_key(void)
{
    int key = getch();
    return key == ERR ? -1 : key;
}

/* ---- where things stand ------------------------------------------------------------------- */

/* Lines above the rows: of a low screen those that matter least are not there. */
struct places {
    int height, width;
    int totals, dropped, titles, first_row, last; /* lines; -1: none */
};

static struct places places_of_screen(void)
{
    struct places p = {.totals = -1, .dropped = -1, .titles = -1, .last = -1};
    getmaxyx(stdscr, p.height, p.width);
    int line = 1;
    if (p.height >= 5)
        p.totals = line++;
    if (p.height >= 8)
        p.dropped = line++;
    if (p.height >= 3)
        p.titles = line++;
    p.first_row = line;
    if (p.height >= 7)
        p.last = p.height - 1;
    return p;
}

size_t top_screen_page(void)
{
    struct places p = places_of_screen();
    int page = (p.last >= 0 ? p.last : p.height) - p.first_row;
    return page > 0 ? (size_t)page : 0;
}

/* A line of text that is safe already. The last place of the last line stays empty: writing there
 * scrolls some terminals. */
static void put_line(const struct places *p, int line, int attributes, struct buffer *text)
{
    if (line < 0 || line >= p->height)
        return;
    struct buffer fitted = {0};
    int width = line == p->height - 1 ? p->width - 1 : p->width;
    if (width > 0)
        top_text_left(&fitted, buffer_cstring(text), (size_t)width);
    attrset((attr_t)attributes);
    mvaddstr(line, 0, buffer_cstring(&fitted));
    attrset(A_NORMAL);
    buffer_fini(&fitted);
    buffer_clear(text);
}

/* ---- lines -------------------------------------------------------------------------------- */

static void draw_title(const struct top_picture *p, const struct places *at)
{
    const struct top_state *s = p->state;
    struct buffer line = {0};
    buffer_printf(&line, "weft top  %s", top_view_info(s->view)->title);
    if (s->cache[0] && s->view >= TOP_KEYS)
        buffer_printf(&line, " of %s", s->cache_title);
    if (p->table)
        buffer_printf(&line, "  %.8s", show_time(p->table->unix_ns));
    buffer_printf(&line, "  %s %.0f s", s->paused ? "PAUSED" : "every", s->interval_s);
    if (s->filter[0] || s->typing)
        buffer_printf(&line, "  /%s", s->filter);
    buffer_printf(&line, "  %s", p->source);
    put_line(at, 0, A_BOLD, &line);
    buffer_fini(&line);
}

static void draw_above(const struct top_picture *p, const struct places *at)
{
    struct buffer line = {0};
    if (*p->trouble) {
        buffer_text(&line, p->trouble);
        put_line(at, at->totals >= 0 ? at->totals : 0, A_REVERSE, &line);
    } else if (p->table) {
        top_totals_line(p->table, &line);
        put_line(at, at->totals, A_NORMAL, &line);
    } else {
        buffer_text(&line, "asking ...");
        put_line(at, at->totals, A_NORMAL, &line);
    }
    if (p->table) {
        struct buffer dropped = {0}, hottest = {0};
        bool any = top_dropped_line(p->table, &dropped);
        top_hottest_line(p->table, &hottest);
        buffer_printf(&line, "dropped: %s", buffer_cstring(&dropped));
        if (hottest.length > 0)
            buffer_printf(&line, "; hottest: %s", buffer_cstring(&hottest));
        put_line(at, at->dropped, any ? A_BOLD : A_NORMAL, &line);
        buffer_fini(&dropped);
        buffer_fini(&hottest);
    }
    buffer_fini(&line);
}

static void draw_rows(const struct top_picture *p, const struct places *at)
{
    struct top_layout layout;
    struct buffer line = {0};
    size_t page = top_screen_page(), first = p->state->first;
    size_t count = first < p->count ? p->count - first : 0;
    if (count > page)
        count = page;
    top_layout(&layout, p->table, p->order, p->rows + first, count, (size_t)at->width);
    top_layout_titles(&layout, &line);
    put_line(at, at->titles, A_UNDERLINE, &line);
    for (size_t i = 0; i < count; i++) {
        bool selected = first + i == p->state->selected;
        top_layout_row(&layout, &p->table->rows[p->rows[first + i]], &line);
        put_line(at, at->first_row + (int)i, selected ? A_REVERSE : A_NORMAL, &line);
    }
    buffer_fini(&line);
}

static const char *const help[] = {
    "1 services  2 caches  3 keys  4 patterns  5 clients  Tab the next",
    "",
    "Sort by   C calls    S size (of services: p99)   R requests/s",
    "          B bytes/s  M misses (of services: errors)",
    "          E errors   L p99   K distinct keys   N name",
    "T         the other order",
    "/         shows rows with a text in them; Enter keeps it, Esc ends it",
    "Arrows    move, as PgUp, PgDn, Home and End do",
    "Enter     the keys of a cache; Esc back",
    "P         pauses and goes on",
    "+ -       asks less, or more often",
    "H ?       this",
    "Q         quits",
};

static void draw_help(const struct places *at)
{
    struct buffer line = {0};
    for (int i = 0; i < (int)(sizeof help / sizeof *help); i++) {
        buffer_text(&line, help[i]);
        put_line(at, i + 1, A_NORMAL, &line);
    }
    buffer_fini(&line);
}

static void draw_last(const struct top_picture *p, const struct places *at)
{
    struct buffer line = {0};
    if (p->state->typing)
        buffer_printf(&line, "filter: %s_", p->state->filter);
    else
        buffer_text(&line, "Q quit  H help  1-5 views  C S R B M sort  T order  / filter  P pause");
    put_line(at, at->last, A_REVERSE, &line);
    buffer_fini(&line);
}

void top_screen_draw(const struct top_picture *p)
{
    struct places at = places_of_screen();
    erase();
    draw_title(p, &at);
    if (p->state->help) {
        draw_help(&at);
    } else {
        draw_above(p, &at);
        if (p->table)
            draw_rows(p, &at);
    }
    draw_last(p, &at);
    refresh();
}
