// SPDX-License-Identifier: Apache-2.0
/* `weft top`: services, caches, keys and clients as they are now, on a terminal or once. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/top_agent.h"
#include "cli/top_collector.h"
#include "cli/top_live.h"
#include "cli/top_once.h"
#include "lib/base/units.h"

static const char usage[] =
    "usage: weft top [--view V] [--cache C] [--sort COLUMN] [--reverse] [--filter TEXT]\n"
    "                [--agent [DIR]] [--window D] [--interval D]\n"
    "       weft top --once [--csv | --json] [--count N] [the same]\n\n"
    "Services, caches, their keys, patterns of keys (digits as *) and clients, as they are now.\n\n"
    "  --view V      services, caches, keys, patterns or clients (keys)\n"
    "  --cache C     keys, patterns and clients of one cache: its address, or its number\n"
    "  --sort COLUMN a column's name as --csv has it, or its letter (below)\n"
    "  --reverse     the other way around\n"
    "  --filter TEXT rows with this in them\n"
    "  --agent [DIR] asks the agent of this host ($WEFT_DIR, /run/weft), no collector\n"
    "  --window D    over which time, at the collector (20s; keys are told every 10s)\n"
    "  --interval D  how often it asks (2s)\n"
    "  --once        prints tables and ends; without --view all of them, the hottest key first\n"
    "  --csv, --json print one view for programs, and end: columns stay what they are\n"
    "  --count N     so many rows of each (--once: 10, else all)\n\n"
    "On the screen: 1 to 5 or Tab views; sorted by C calls, S size, R requests/s, B bytes/s,\n"
    "M misses, E errors, L p99, K distinct keys, N name; T the other order; / filter; Enter the\n"
    "keys of a cache; P pause; + - interval; H help; Q quit.\n"
    "A key's count may be too low by what stands under ERROR, never too high.\n";

static const struct option options[] = {
    {"view", required_argument, NULL, 'v'},   {"cache", required_argument, NULL, 'c'},
    {"sort", required_argument, NULL, 's'},   {"reverse", no_argument, NULL, 'r'},
    {"filter", required_argument, NULL, 'f'}, {"agent", optional_argument, NULL, 'a'},
    {"window", required_argument, NULL, 'w'}, {"interval", required_argument, NULL, 'i'},
    {"once", no_argument, NULL, 'o'},         {"csv", no_argument, NULL, 'C'},
    {"json", no_argument, NULL, 'J'},         {"count", required_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};

struct plan {
    bool once, reversed, agent;
    enum top_form form;
    const char *view, *cache, *sort, *filter, *directory;
    double window_s, interval_s;
    size_t count; /* 0: not said */
};

/* ---- options ------------------------------------------------------------------------------ */

static bool wrong(const char *option, const char *found, const char *expected)
{
    fprintf(stderr, "weft top: %s: found \"%.60s\", expected %s\n", option, found, expected);
    return false;
}

static bool read_seconds(const char *option, const char *text, double *out)
{
    uint64_t ns;
    if (!units_parse_duration(text, &ns) || ns < UINT64_C(1000000000) ||
        ns > UINT64_C(86400000000000))
        return wrong(option, text, "a time from 1s to 24h");
    *out = (double)ns / 1e9;
    return true;
}

static bool read_count(const char *text, size_t *out)
{
    char *end;
    long long count = strtoll(text, &end, 10);
    if (end == text || *end || count < 1 || count > 1000000)
        return wrong("--count", text, "a number from 1 to 1000000");
    *out = (size_t)count;
    return true;
}

static bool read_option(int option, struct plan *p)
{
    switch (option) {
    case 'v':
        p->view = optarg;
        return true;
    case 'c':
        p->cache = optarg;
        return true;
    case 's':
        p->sort = optarg;
        return true;
    case 'r':
        return p->reversed = true;
    case 'f':
        p->filter = optarg;
        return true;
    case 'a':
        p->directory = optarg;
        return p->agent = true;
    case 'w':
        return read_seconds("--window", optarg, &p->window_s);
    case 'i':
        return read_seconds("--interval", optarg, &p->interval_s);
    case 'o':
        return p->once = true;
    case 'C':
    case 'J':
        p->form = option == 'C' ? TOP_CSV : TOP_JSON;
        return p->once = true;
    case 'n':
        return read_count(optarg, &p->count);
    default:
        fputs(usage, stderr);
        return false;
    }
}

/* -1; or what the command shall return. */
static int read_arguments(int argc, char **argv, struct plan *p)
{
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!read_option(option, p))
            return 2;
    }
    if (p->agent && !p->directory && optind < argc) /* "--agent DIR" */
        p->directory = argv[optind++];
    if (optind == argc)
        return -1;
    fputs(usage, stderr);
    return 2;
}

static const char *directory_of(const struct plan *p)
{
    const char *environment = getenv("WEFT_DIR");
    if (p->directory)
        return p->directory;
    return environment && *environment ? environment : "/run/weft";
}

/* ---- the command -------------------------------------------------------------------------- */

static bool settle(const struct plan *p, struct top_state *state)
{
    enum top_view view = top_view_of(p->view ? p->view : "keys");
    if (view == TOP_VIEWS)
        return wrong("--view", p->view, "services, caches, keys, patterns or clients");
    top_state_init(state, view);
    int column = p->sort ? top_column_of(view, p->sort) : state->column[view];
    if (column < 0)
        return wrong("--sort", p->sort, "a column of that view: see its --csv");
    state->column[view] = column;
    state->reversed[view] = p->reversed;
    state->interval_s = p->interval_s;
    snprintf(state->filter, sizeof state->filter, "%s", p->filter);
    snprintf(state->cache, sizeof state->cache, "%s", p->cache);
    snprintf(state->cache_title, sizeof state->cache_title, "%s", p->cache);
    return true;
}

static int print_once(struct top_source *source, const struct plan *p,
                      const struct top_state *state)
{
    struct top_once once = {
        .form = p->form,
        .all_views = p->form == TOP_FOR_PEOPLE && !p->view,
        .view = state->view,
        .column = state->column[state->view],
        .reversed = p->reversed,
        .filter = p->filter,
        .cache = p->cache,
        .count = p->count                    ? p->count
                 : p->form == TOP_FOR_PEOPLE ? 10
                                             : SIZE_MAX,
        .seconds = p->window_s,
    };
    return top_once(source, &once);
}

int command_top(int argc, char **argv)
{
    struct plan p = {.cache = "", .filter = "", .window_s = 20, .interval_s = 2};
    struct top_state state;
    struct top_source source;
    int status = read_arguments(argc, argv, &p);
    if (status >= 0)
        return status;
    if (!settle(&p, &state))
        return 2;
    setlocale(LC_CTYPE, "");
    if (!p.agent) {
        top_collector_open(&source);
    } else if (top_agent_open(&source, directory_of(&p)) != 0) {
        fprintf(stderr, "weft top: out of memory\n");
        return 1;
    }
    status = p.once ? print_once(&source, &p, &state) : top_live(&source, &state, p.window_s);
    source.close(source.context);
    return status;
}
