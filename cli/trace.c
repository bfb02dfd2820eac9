// SPDX-License-Identifier: Apache-2.0
/* `weft trace ID`: one trace as a tree, in a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/show.h"

enum { DEPTH_MAX = 60, BAR = 32 };

struct tree {
    const json_t *spans, *processes;
    double duration_ns;
    size_t count;
    int *depth;     /* of each span */
    bool *last;     /* it is its parent's last child */
    bool *unbroken; /* [DEPTH_MAX]: a line goes on at this depth */
};

/* Spans come parents first: a stack of the path to the present one is enough. */
static void measure(struct tree *t)
{
    const char *path[DEPTH_MAX];
    int depth = 0;
    for (size_t i = 0; i < t->count; i++) {
        const json_t *span = json_array_get(t->spans, i);
        const char *parent = api_text(span, "parent_id");
        while (depth > 0 && strcmp(path[depth - 1], parent) != 0)
            depth--;
        t->depth[i] = depth;
        if (depth < DEPTH_MAX)
            path[depth++] = api_text(span, "span_id");
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
    if (t->depth[i] < DEPTH_MAX)
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

static void print_span(struct tree *t, size_t i, size_t width)
{
    const json_t *span = json_array_get(t->spans, i);
    const json_t *process = json_array_get(t->processes, (size_t)api_number(span, "process"));
    const char *status = api_text(span, "status"), *service = api_text(process, "service"),
               *cell = api_text(process, "cell");
    enum show_style style = style_of(status);
    print_bar(t, span, style);
    printf(" %9s  ", show_duration((double)api_number(span, "duration_ns")));
    print_branch(t, i);
    printf("%s", show_service(service));
    show_text(service, 24);
    if (*cell) {
        printf(" ");
        show_text(cell, 12);
    }
    printf("%s ", show_end());
    show_text(api_text(span, "name"), width);
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

static int print_trace(const json_t *trace)
{
    struct tree t = {.spans = json_object_get(trace, "spans"),
                     .processes = json_object_get(trace, "processes"),
                     .duration_ns = (double)api_number(trace, "duration_ns")};
    bool unbroken[DEPTH_MAX] = {false};
    t.count = json_array_size(t.spans);
    t.depth = calloc(t.count + 1, sizeof *t.depth);
    t.last = calloc(t.count + 1, sizeof *t.last);
    t.unbroken = unbroken;
    if (!t.depth || !t.last)
        return 1;
    struct winsize window = {.ws_col = 0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
    size_t width = window.ws_col > 100 ? window.ws_col - 70u : 60;
    printf("trace %s  %s  %s  %zu spans%s\n", api_text(trace, "trace_id"),
           show_time(api_unix_ns(trace, "start_unix_ns")), show_duration(t.duration_ns), t.count,
           json_is_true(json_object_get(trace, "complete")) ? "" : "  incomplete");
    measure(&t);
    for (size_t i = 0; i < t.count; i++)
        print_span(&t, i, width);
    print_losses(trace);
    free(t.depth);
    free(t.last);
    return 0;
}

int command_trace(int argc, char **argv)
{
    char path[128] = "/api/v1/traces/", why[512];
    if (argc != 2 || argv[1][0] == '-') {
        FILE *out = argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr;
        fprintf(out, "usage: weft trace ID\n\nA trace as a tree; weft traces lists ids.\n");
        return out == stdout ? 0 : 2;
    }
    api_escape(path, sizeof path, argv[1]);
    json_t *trace = api_get(NULL, path, why, sizeof why);
    if (!trace) {
        fprintf(stderr, "weft trace: %s\n", why);
        return 1;
    }
    int status = print_trace(trace);
    json_decref(trace);
    return status;
}
