// SPDX-License-Identifier: Apache-2.0
/* `weft search`, `weft phases`, `weft diff`: questions in TraceQL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/show.h"

enum { QUERY_BYTES = 16384 };

/* What an answer says of itself where it is not whole. */
static void print_end(const json_t *answer)
{
    if (*api_text(answer, "explanation"))
        fprintf(stderr, "not all was looked at: %s\n", api_text(answer, "explanation"));
    if (api_number(json_object_get(answer, "progress"), "damaged_units") > 0)
        fprintf(stderr, "%lld blocks are damaged and were passed over (weft status names them)\n",
                api_number(json_object_get(answer, "progress"), "damaged_units"));
    if (json_object_get(answer, "complete_since_unix_ns"))
        fprintf(stderr, "traces before %s were aged out\n",
                show_time(api_unix_ns(answer, "complete_since_unix_ns")));
}

static json_t *ask(const char *command, const char *query)
{
    char why[2048];
    json_t *answer = api_get(NULL, query, why, sizeof why);
    if (!answer)
        fprintf(stderr, "weft %s: %s\n", command, why);
    return answer;
}

/* ---- search ------------------------------------------------------------------------------ */

static void print_value(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    show_text(text ? text : "", 60);
    free(text);
}

static void print_values(const json_t *values)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)values, key, value)
    {
        printf("  %s", show_begin(SHOW_DIM));
        show_text(key, 60);
        printf("=%s", show_end());
        print_value(value);
    }
}

static void print_spanset(const json_t *set)
{
    size_t i;
    json_t *span;
    const json_t *values = json_object_get(set, "values");
    if (json_object_size(values) > 0) {
        printf("    %lld spans", api_number(set, "matched"));
        print_values(values);
        printf("\n");
    }
    json_array_foreach(json_object_get(set, "spans"), i, span)
    {
        printf("    %9s  %s", show_duration((double)api_number(span, "duration_ns")),
               show_service(api_text(span, "service")));
        show_text(api_text(span, "service"), 24);
        printf("%s ", show_end());
        show_text(api_text(span, "name"), 40);
        print_values(json_object_get(span, "values"));
        printf("\n");
    }
    long long more =
        api_number(set, "matched") - (long long)json_array_size(json_object_get(set, "spans"));
    if (more > 0)
        printf("    %sand %lld more%s\n", show_begin(SHOW_DIM), more, show_end());
}

static const char search_usage[] =
    "usage: weft search QUERY [options]\n\n"
    "The newest traces that a TraceQL query finds, such as '{ status = error } >> { name = \"get\" "
    "}'.\n\n"
    "  --limit N          20, at most 1000\n"
    "  --spans N          how many matching spans to show of each (3)\n"
    "  --start T, --end T they overlap that time: RFC 3339, or nanoseconds since 1970\n"
    "  --timeout D        ends after that time, with what was found (30s)\n";

int command_search(int argc, char **argv)
{
    static const struct option options[] = {{"limit", required_argument, NULL, 'p'},
                                            {"spans", required_argument, NULL, 'p'},
                                            {"start", required_argument, NULL, 'p'},
                                            {"end", required_argument, NULL, 'p'},
                                            {"timeout", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    char query[QUERY_BYTES] = "/api/v1/search";
    int status = lines_parse(argc, argv, options, 1, 1, query, sizeof query, search_usage);
    if (status != 0)
        return status < 0 ? 0 : status;
    lines_add_parameter(query, sizeof query, "q", argv[optind]);
    json_t *answer = ask("search", query), *trace, *set;
    size_t i, n;
    if (!answer)
        return 1;
    json_array_foreach(json_object_get(answer, "traces"), i, trace)
    {
        lines_trace(trace);
        json_array_foreach(json_object_get(trace, "spansets"), n, set) print_spanset(set);
    }
    if (json_array_size(json_object_get(answer, "traces")) == 0)
        fprintf(stderr, "no such traces\n");
    print_end(answer);
    json_decref(answer);
    return 0;
}

/* ---- phases ------------------------------------------------------------------------------ */

static const char phases_usage[] =
    "usage: weft phases [QUERY] [options]\n\n"
    "Where the time goes: how much of the critical path each operation holds, over the newest\n"
    "traces that a TraceQL query finds (without one: over all).\n\n"
    "  --limit N          traces, 500\n"
    "  --start T, --end T\n";

static void print_operation(const json_t *row)
{
    if (*api_text(row, "service") || *api_text(row, "operation")) {
        printf("%s", show_service(api_text(row, "service")));
        show_text(api_text(row, "service"), 24);
        printf("%s ", show_end());
        show_text(api_text(row, "operation"), 60);
    } else {
        printf("%s(%s)%s", show_begin(SHOW_DIM), api_text(row, "what"), show_end());
    }
}

int command_phases(int argc, char **argv)
{
    static const struct option options[] = {{"limit", required_argument, NULL, 'p'},
                                            {"start", required_argument, NULL, 'p'},
                                            {"end", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    char query[QUERY_BYTES] = "/api/v1/analysis/phases";
    int status = lines_parse(argc, argv, options, 0, 1, query, sizeof query, phases_usage);
    if (status != 0)
        return status < 0 ? 0 : status;
    if (optind < argc)
        lines_add_parameter(query, sizeof query, "q", argv[optind]);
    json_t *answer = ask("phases", query), *row;
    size_t i;
    if (!answer)
        return 1;
    printf("%lld traces, %s on their critical paths\n", api_number(answer, "traces"),
           show_duration((double)api_number(answer, "total_ns")));
    printf("%s  share        p50        p99  traces%s\n", show_begin(SHOW_DIM), show_end());
    json_array_foreach(json_object_get(answer, "phases"), i, row)
    {
        printf("%6.1f %%  %9s  %9s  %6lld  ",
               json_number_value(json_object_get(row, "share")) * 100,
               show_duration((double)api_number(row, "p50_ns")),
               show_duration((double)api_number(row, "p99_ns")), api_number(row, "traces"));
        print_operation(row);
        printf("\n");
    }
    print_end(answer);
    json_decref(answer);
    return 0;
}

/* ---- diff -------------------------------------------------------------------------------- */

static const char diff_usage[] =
    "usage: weft diff A B [options]\n\n"
    "What differs between two traces (ids) or two sets of traces (TraceQL queries), what matters\n"
    "most first.\n\n"
    "  --by W             operation (the default), or path: where in the tree it is\n"
    "  --limit N          traces of each set, 200\n"
    "  --start T, --end T\n";

static const char *signed_duration(double ns)
{
    static char text[4][40];
    static unsigned turn;
    char *to = text[turn++ % 4];
    snprintf(to, sizeof text[0], "%s%s", ns < 0 ? "-" : "+", show_duration(ns < 0 ? -ns : ns));
    return to;
}

static void print_side(const char *name, const json_t *side)
{
    long long traces = api_number(side, "traces");
    printf("%s: %lld traces, %s each\n", name, traces,
           show_duration(traces ? (double)api_number(side, "total_ns") / (double)traces : 0));
}

static void print_diff_row(const json_t *row)
{
    double change = json_number_value(json_object_get(row, "critical_change_ns"));
    const json_t *path = json_object_get(row, "path");
    size_t i;
    json_t *step;
    printf("%s%10s%s  %10s  %5lld  %5lld  ",
           show_begin(change > 0   ? SHOW_RED
                      : change < 0 ? SHOW_GREEN
                                   : SHOW_PLAIN),
           signed_duration(change), show_end(),
           signed_duration(json_number_value(json_object_get(row, "self_change_ns"))),
           api_number(json_object_get(row, "a"), "spans"),
           api_number(json_object_get(row, "b"), "spans"));
    if (json_is_true(json_object_get(row, "rest")))
        printf("(the rest)");
    else if (!path)
        print_operation(json_object_get(row, "operation"));
    json_array_foreach(path, i, step)
    {
        printf("%s", i ? " > " : "");
        print_operation(step);
    }
    printf("\n");
}

int command_diff(int argc, char **argv)
{
    static const struct option options[] = {
        {"by", required_argument, NULL, 'p'},    {"limit", required_argument, NULL, 'p'},
        {"start", required_argument, NULL, 'p'}, {"end", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    char query[QUERY_BYTES] = "/api/v1/analysis/diff";
    int status = lines_parse(argc, argv, options, 2, 2, query, sizeof query, diff_usage);
    if (status != 0)
        return status < 0 ? 0 : status;
    lines_add_parameter(query, sizeof query, "a", argv[optind]);
    lines_add_parameter(query, sizeof query, "b", argv[optind + 1]);
    json_t *answer = ask("diff", query), *row;
    size_t i;
    if (!answer)
        return 1;
    print_side("a", json_object_get(answer, "a"));
    print_side("b", json_object_get(answer, "b"));
    printf("%s  critical        self      a      b%s\n", show_begin(SHOW_DIM), show_end());
    json_array_foreach(json_object_get(answer, "rows"), i, row) print_diff_row(row);
    json_decref(answer);
    return 0;
}
