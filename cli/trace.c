// SPDX-License-Identifier: Apache-2.0
/* `weft trace ID`: one trace as a tree, in a terminal, page by page however large it is. */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/show.h"

enum { DEPTH_MAX = 60, BAR = 32, PAGE_SPANS = 2000, PAGE_MOST = 32000 };

struct tree {
    const json_t *processes;
    double duration_ns;
    bool unbroken[DEPTH_MAX + 1]; /* a line goes on at this depth */
    char path[DEPTH_MAX][20];     /* span ids from the top to the last span of the page before */
    int path_depth;
    size_t width;
    /* The page that is being printed. */
    const json_t *spans;
    size_t count;
    int *depth;             /* of each span */
    bool *last;             /* it is its parent's last child, as far as this page knows */
    const json_t *critical; /* span id → its time on the critical path; NULL: not asked for */
};

/* Spans come parents first: a stack of the path to the present one is enough. */
static void measure(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const json_t *span = json_array_get(t->spans, i);
        const char *parent = api_text(span, "parent_id");
        while (t->path_depth > 0 && strcmp(t->path[t->path_depth - 1], parent) != 0)
            t->path_depth--;
        t->depth[i] = t->path_depth;
        if (t->path_depth < DEPTH_MAX)
            snprintf(t->path[t->path_depth++], sizeof t->path[0], "%.19s",
                     api_text(span, "span_id"));
    }
    for (size_t i = 0; i < t->count; i++) {
        size_t k = i + 1;
        while (k < t->count && t->depth[k] > t->depth[i])
            k++;
        t->last[i] = k == t->count || t->depth[k] < t->depth[i];
    }
}

static void print_branch(struct tree *t, size_t i)
{
    printf("%s", show_begin(SHOW_DIM));
    for (int d = 1; d < t->depth[i]; d++)
        printf("%s", t->unbroken[d] ? "│ " : "  ");
    if (t->depth[i] > 0)
        printf("%s", t->last[i] ? "└─" : "├─");
    printf("%s", show_end());
    if (t->depth[i] <= DEPTH_MAX)
        t->unbroken[t->depth[i]] = !t->last[i];
}

/* Where in the whole the span lies. */
static void print_bar(const struct tree *t, const json_t *span, enum show_style style)
{
    double start = (double)api_number(span, "start_offset_ns"),
           length = (double)api_number(span, "duration_ns");
    double scale = t->duration_ns > 0 ? BAR / t->duration_ns : 0;
    int from = (int)(start * scale), to = (int)((start + length) * scale + 0.5);
    from = from < 0 ? 0 : from > BAR - 1 ? BAR - 1 : from;
    to = to <= from ? from + 1 : to > BAR ? BAR : to;
    const char *status = api_text(span, "status");
    const char *end = strcmp(status, "died") == 0        ? "✗"
                      : strcmp(status, "in_flight") == 0 ? "…"
                                                         : "━";
    printf("%*s%s", from, "", show_begin(style));
    for (int i = from; i < to - 1; i++)
        printf("━");
    printf("%s%s%*s", end, show_end(), BAR - to, "");
}

static enum show_style style_of(const char *status)
{
    if (strcmp(status, "died") == 0 || strcmp(status, "error") == 0)
        return SHOW_RED;
    return strcmp(status, "in_flight") == 0 ? SHOW_YELLOW : SHOW_GREEN;
}

/* The part of the request's time that it was this span that the answer waited for. */
static void print_critical(const struct tree *t, const json_t *span)
{
    if (!t->critical)
        return;
    const json_t *ns = json_object_get(t->critical, api_text(span, "span_id"));
    if (json_integer_value(ns) > 0)
        printf("%s%9s%s ", show_begin(SHOW_BOLD), show_duration((double)json_integer_value(ns)),
               show_end());
    else
        printf("%9s ", "");
}

static void print_span(struct tree *t, size_t i)
{
    const json_t *span = json_array_get(t->spans, i);
    const json_t *process = json_array_get(t->processes, (size_t)api_number(span, "process"));
    const char *status = api_text(span, "status"), *service = api_text(process, "service"),
               *cell = api_text(process, "cell");
    enum show_style style = style_of(status);
    print_bar(t, span, style);
    printf(" ");
    print_critical(t, span);
    printf("%9s  ", show_duration((double)api_number(span, "duration_ns")));
    print_branch(t, i);
    printf("%s", show_service(service));
    show_text(service, 24);
    if (*cell) {
        printf(" ");
        show_text(cell, 12);
    }
    printf("%s ", show_end());
    show_text(api_text(span, "name"), t->width);
    if (style == SHOW_RED || style == SHOW_YELLOW) {
        printf("  %s%s", show_begin(style),
               strcmp(status, "in_flight") == 0 ? "in flight" : status);
        if (*api_text(span, "status_message")) {
            printf(": ");
            show_text(api_text(span, "status_message"), 80);
        }
        printf("%s", show_end());
    }
    size_t k;
    json_t *flag;
    json_array_foreach(json_object_get(span, "flags"), k, flag)
    {
        const char *text = json_string_value(flag);
        if (text && strcmp(text, "orphan") == 0)
            printf("  %sits parent is not here%s", show_begin(SHOW_YELLOW), show_end());
    }
    printf("\n");
}

static void print_losses(const json_t *trace)
{
    size_t i;
    json_t *loss;
    json_array_foreach(json_object_get(trace, "losses"), i, loss) printf(
        "%s%lld lost in %s meanwhile: %s%s\n", show_begin(SHOW_YELLOW), api_number(loss, "count"),
        api_text(loss, "place"), api_text(loss, "reason"), show_end());
}

/* ---- explained --------------------------------------------------------------------------- */

static void print_findings(const json_t *analysis)
{
    const json_t *culprit = json_object_get(analysis, "culprit");
    const json_t *path = json_object_get(analysis, "critical_path");
    size_t i;
    json_t *hole, *call;
    if (culprit) {
        printf("%s", show_begin(SHOW_RED));
        show_text(api_text(culprit, "sentence"), 0);
        printf("%s\n", show_end());
    }
    json_array_foreach(json_object_get(analysis, "calls"), i, call)
    {
        show_text(api_text(call, "sentence"), 0);
        printf("\n");
    }
    if (api_number(path, "unknown_ns") > 0)
        printf("%s of the time is of nobody that is known\n",
               show_duration((double)api_number(path, "unknown_ns")));
    json_array_foreach(json_object_get(analysis, "holes"), i, hole)
    {
        printf("%s", show_begin(SHOW_YELLOW));
        show_text(api_text(hole, "sentence"), 0);
        printf("%s\n", show_end());
    }
}

/* {span id: critical ns} */
static json_t *critical_times(const json_t *analysis)
{
    json_t *times = json_object(), *span;
    size_t i;
    json_array_foreach(json_object_get(analysis, "spans"), i, span)
        json_object_set(times, api_text(span, "span_id"), json_object_get(span, "critical_ns"));
    return times;
}

/* ---- page by page ------------------------------------------------------------------------ */

struct asked {
    const char *id;
    unsigned long offset, limit;
    bool critical_path;
};

static int print_page(struct tree *t, const json_t *trace)
{
    t->spans = json_object_get(trace, "spans");
    t->processes = json_object_get(trace, "processes");
    t->count = json_array_size(t->spans);
    t->depth = calloc(t->count + 1, sizeof *t->depth);
    t->last = calloc(t->count + 1, sizeof *t->last);
    if (t->depth && t->last) {
        measure(t);
        for (size_t i = 0; i < t->count; i++)
            print_span(t, i);
    }
    bool printed = t->depth && t->last;
    free(t->depth);
    free(t->last);
    return printed && fflush(stdout) == 0 ? 0 : 1;
}

static void print_head(struct tree *t, const json_t *trace)
{
    struct winsize window = {.ws_col = 0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
    t->width = window.ws_col > 100 ? window.ws_col - 70u : 60;
    t->duration_ns = (double)api_number(trace, "duration_ns");
    printf("trace %s  %s  %s  %lld spans%s\n", api_text(trace, "trace_id"),
           show_time(api_unix_ns(trace, "start_unix_ns")), show_duration(t->duration_ns),
           api_number(trace, "span_count"),
           json_is_true(json_object_get(trace, "complete")) ? "" : "  incomplete");
}

static int fail(const char *why)
{
    fprintf(stderr, "weft trace: %s\n", why);
    return 1;
}

static int print_pages(struct tree *t, const struct asked *asked)
{
    char path[256], why[512];
    unsigned long offset = asked->offset, left = asked->limit, page = PAGE_SPANS;
    for (bool more = true; more && left > 0;) {
        unsigned long count = left < page ? left : page;
        snprintf(path, sizeof path, "/api/v1/traces/");
        api_escape(path, sizeof path - 64, asked->id);
        snprintf(path + strlen(path), 64, "?offset=%lu&limit=%lu", offset, count);
        json_t *trace = api_get(NULL, path, why, sizeof why);
        if (!trace)
            return fail(why);
        if (offset == asked->offset)
            print_head(t, trace);
        int failed = print_page(t, trace);
        more = json_is_true(json_object_get(trace, "more"));
        if (!more || left == count)
            print_losses(trace);
        json_decref(trace);
        if (failed)
            return 1; /* the reader has seen enough */
        offset += count;
        left -= count;
        /* The first page is there at once; who reads on is spared questions. */
        page = page * 4 < PAGE_MOST ? page * 4 : PAGE_MOST;
    }
    return 0;
}

static int print_all(const struct asked *asked)
{
    char path[128] = "/api/v1/analysis/traces/", why[512];
    struct tree t = {0};
    json_t *analysis = NULL, *critical = NULL;
    if (asked->critical_path) {
        api_escape(path, sizeof path - 16, asked->id);
        strcat(path, "?among=0");
        analysis = api_get(NULL, path, why, sizeof why);
        if (!analysis)
            return fail(why);
        t.critical = critical = critical_times(analysis);
    }
    int status = print_pages(&t, asked);
    if (analysis && status == 0)
        print_findings(analysis);
    json_decref(critical);
    json_decref(analysis);
    return status;
}

/* ---- the command ------------------------------------------------------------------------- */

static const char usage[] =
    "usage: weft trace ID [options]\n\n"
    "A trace as a tree; weft traces and weft search tell ids. A large one is read page by page.\n\n"
    "  --critical-path    how long each span held up the answer, who is to blame, what is missing\n"
    "  --offset N         begins with that span, in the order in which they are shown\n"
    "  --limit N          ends after so many\n";

/* On a terminal, what is longer than it goes through a pager, as other tools do. */
static FILE *open_pager(void)
{
    const char *pager = getenv("PAGER");
    if (!isatty(STDOUT_FILENO))
        return NULL;
    FILE *pipe = popen(pager && *pager ? pager : "less -RFX", "w");
    if (!pipe)
        return NULL;
    show_keep_colour(); /* standard output is a pipe from now on */
    fflush(stdout);
    dup2(fileno(pipe), STDOUT_FILENO);
    return pipe;
}

static void close_pager(FILE *pager)
{
    fflush(stdout);
    close(STDOUT_FILENO);
    if (pager)
        pclose(pager);
}

int command_trace(int argc, char **argv)
{
    static const struct option options[] = {{"critical-path", no_argument, NULL, 'c'},
                                            {"offset", required_argument, NULL, 'o'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct asked asked = {.limit = ULONG_MAX};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        char *end = optarg;
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == 'c')
            asked.critical_path = true;
        else if (option == 'o')
            asked.offset = strtoul(optarg, &end, 10);
        else if (option == 'l')
            asked.limit = strtoul(optarg, &end, 10);
        if (option == '?' || (end && *end)) {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    asked.id = argv[optind];
    signal(SIGPIPE, SIG_IGN);
    FILE *pager = open_pager();
    int status = print_all(&asked);
    close_pager(pager);
    return status;
}
