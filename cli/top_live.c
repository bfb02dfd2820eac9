// SPDX-License-Identifier: Apache-2.0
#include "cli/top_live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/top_fetch.h"
#include "cli/top_order.h"
#include "cli/top_screen.h"
#include "lib/base/clock.h"

struct live {
    struct top_source *source;
    struct top_state *state;
    struct top_fetch *fetch;
    double seconds;
    struct top_answer latest; /* the last good one */
    bool has_table;
    char trouble[TOP_WHY + 64];
    uint32_t *rows; /* of the table, in their order */
    size_t count;
    struct top_order order;
    int64_t next_ms; /* when to ask */
    bool hung_up;
};

static volatile sig_atomic_t ending;

static void on_end(int number)
{
    (void)number;
    ending = 1;
}

/* ---- asking ------------------------------------------------------------------------------- */

static void ask(struct live *l)
{
    const struct top_state *s = l->state;
    struct top_question q = {
        .view = s->view, .by = top_by_of(s->view, s->column[s->view]), .seconds = l->seconds};
    snprintf(q.cache, sizeof q.cache, "%s", s->cache);
    top_fetch_ask(l->fetch, &q);
    l->next_ms = clock_monotonic_ms() + (int64_t)(s->interval_s * 1000);
}

static void forget(struct live *l)
{
    if (l->has_table)
        top_table_fini(&l->latest.table);
    l->has_table = false;
}

/* What was seen last stays while there is trouble. */
static bool take(struct live *l)
{
    struct top_answer answer;
    if (!top_fetch_take(l->fetch, &answer))
        return false;
    if (answer.result != 0) {
        snprintf(l->trouble, sizeof l->trouble, "%s; asked again every %.0f s", answer.why,
                 l->state->interval_s);
        top_table_fini(&answer.table);
        return true;
    }
    l->trouble[0] = '\0';
    if (answer.table.view != l->state->view) { /* the view changed meanwhile */
        top_table_fini(&answer.table);
        return true;
    }
    forget(l);
    l->latest = answer;
    l->has_table = true;
    return true;
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void sort(struct live *l)
{
    const struct top_state *s = l->state;
    l->count = 0;
    l->order = (struct top_order){s->column[s->view], s->reversed[s->view], s->filter};
    if (l->has_table && l->latest.table.view != s->view)
        forget(l);
    if (!l->has_table)
        return;
    uint32_t *rows = realloc(l->rows, (l->latest.table.count + 1) * sizeof *rows);
    if (!rows)
        return;
    l->rows = rows;
    l->count = top_order(&l->latest.table, &l->order, rows);
}

static void draw(struct live *l)
{
    sort(l);
    top_state_fit(l->state, l->count, top_screen_page());
    const struct top_picture picture = {
        .source = l->source->name,
        .state = l->state,
        .table = l->has_table ? &l->latest.table : NULL,
        .order = &l->order,
        .rows = l->rows,
        .count = l->count,
        .trouble = l->trouble,
    };
    top_screen_draw(&picture);
}

/* ---- the loop ----------------------------------------------------------------------------- */

/* False: it is time to end. */
static bool listen(struct live *l, bool *changed)
{
    int key;
    while ((key = top_screen_key()) >= 0) {
        size_t at = l->state->selected;
        const struct top_extent extent = {
            .rows = l->count,
            .page = top_screen_page(),
            .selected = at < l->count ? &l->latest.table.rows[l->rows[at]] : NULL,
        };
        enum top_action action = top_key(l->state, key, &extent);
        if (action == TOP_QUIT)
            return false;
        if (action == TOP_ASK)
            ask(l);
        *changed |= action != TOP_NOTHING;
        if (action != TOP_NOTHING)
            sort(l);
    }
    return true;
}

static bool is_time(struct live *l)
{
    return !l->state->paused && clock_monotonic_ms() >= l->next_ms && !top_fetch_is_busy(l->fetch);
}

/* Until a key, an answer, a signal, or the time to ask. */
static void wait_for_news(struct live *l)
{
    struct pollfd list[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = top_fetch_descriptor(l->fetch), .events = POLLIN}};
    int64_t left_ms = l->next_ms - clock_monotonic_ms();
    bool asks = !l->state->paused && !top_fetch_is_busy(l->fetch);
    if (poll(list, 2, asks ? (int)(left_ms > 0 ? left_ms : 0) : 1000) > 0)
        l->hung_up = (list[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

static void run(struct live *l)
{
    bool changed = true;
    ask(l);
    while (!ending && !l->hung_up) {
        changed |= take(l);
        if (changed)
            draw(l);
        changed = false;
        wait_for_news(l);
        if (!listen(l, &changed))
            return;
        if (is_time(l))
            ask(l);
    }
}

int top_live(struct top_source *source, struct top_state *state, double seconds)
{
    struct live l = {.source = source, .state = state, .seconds = seconds};
    char why[256];
    if (!top_screen_open(why, sizeof why)) {
        fprintf(stderr,
                "weft top: %s: weft top --once prints tables, --csv and --json are for scripts\n",
                why);
        return 2;
    }
    const struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    l.fetch = top_fetch_create(source);
    if (l.fetch)
        run(&l);
    top_screen_close();
    if (l.fetch && top_fetch_is_busy(l.fetch))
        _exit(0); /* who quits does not wait for an answer that may never come */
    if (!l.fetch)
        fprintf(stderr, "weft top: out of memory\n");
    int status = l.fetch ? 0 : 1;
    top_fetch_destroy(&l.fetch);
    forget(&l);
    free(l.rows);
    return status;
}
