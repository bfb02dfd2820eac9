// SPDX-License-Identifier: Apache-2.0
/* `weft promql`: a query of series, at one moment as values, over a time as small curves. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/show.h"

static const char usage[] =
    "usage: weft promql QUERY [--time T]\n"
    "       weft promql QUERY --start T --end T [--step D]\n\n"
    "Asks for series in PromQL, at one moment (now unless --time says another) or over a time.\n"
    "Times are seconds since 1970 or RFC 3339, durations 15s, 5m, 1h.\n";

/* ---- labels ------------------------------------------------------------------------------ */

static void print_metric(const json_t *metric)
{
    const char *name, *between = "";
    json_t *value;
    printf("%s", show_begin(SHOW_BOLD));
    show_text(api_text(metric, "__name__"), 0);
    printf("%s{", show_end());
    json_object_foreach((json_t *)(uintptr_t)metric, name, value)
    {
        if (strcmp(name, "__name__") == 0)
            continue;
        printf("%s", between);
        show_text(name, 0);
        printf("=%s\"", show_begin(SHOW_DIM));
        show_text(json_string_value(value), 0);
        printf("\"%s", show_end());
        between = ", ";
    }
    printf("}");
}

/* ---- one moment -------------------------------------------------------------------------- */

static void print_histogram(const json_t *h)
{
    printf("%s in %s values, in %zu buckets", api_text(h, "sum"), api_text(h, "count"),
           json_array_size(json_object_get(h, "buckets")));
}

static void print_sample(const json_t *series)
{
    const json_t *value = json_object_get(series, "value");
    if (value)
        printf("%s", json_string_value(json_array_get(value, 1)));
    else
        print_histogram(json_array_get(json_object_get(series, "histogram"), 1));
}

/* ---- over a time ------------------------------------------------------------------------- */

static double number_at(const json_t *values, size_t i)
{
    const char *text = json_string_value(json_array_get(json_array_get(values, i), 1));
    return text ? strtod(text, NULL) : NAN;
}

static void print_curve(const json_t *values)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { COLUMNS = 60, BARS = 8 };
    size_t count = json_array_size(values), columns = count < COLUMNS ? count : COLUMNS;
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        double v = number_at(values, i);
        if (!isfinite(v))
            continue;
        least = fmin(least, v);
        most = fmax(most, v);
    }
    for (size_t c = 0; c < columns; c++) {
        double v = number_at(values, c * count / columns);
        double part = most > least ? (v - least) / (most - least) : 0;
        printf("%s", isfinite(v) ? bars[(int)(part * (BARS - 1) + 0.5)] : " ");
    }
    printf("  %g to %g", least, most);
}

static void print_series(const json_t *series)
{
    const json_t *values = json_object_get(series, "values");
    print_metric(json_object_get(series, "metric"));
    printf("\n  ");
    if (values)
        print_curve(values);
    else
        printf("%zu histograms", json_array_size(json_object_get(series, "histograms")));
    printf("\n");
}

/* ---- the command ------------------------------------------------------------------------- */

static void print_result(const json_t *data)
{
    size_t i;
    json_t *item;
    const json_t *result = json_object_get(data, "result");
    const char *type = api_text(data, "resultType");
    if (strcmp(type, "scalar") == 0 || strcmp(type, "string") == 0) {
        printf("%s\n", json_string_value(json_array_get(result, 1)));
        return;
    }
    json_array_foreach(result, i, item)
    {
        if (strcmp(type, "matrix") == 0) {
            print_series(item);
            continue;
        }
        print_metric(json_object_get(item, "metric"));
        printf("  ");
        print_sample(item);
        printf("\n");
    }
    if (json_array_size(result) == 0)
        fprintf(stderr, "no series\n");
}

static void print_annotations(const json_t *answer, const char *key)
{
    size_t i;
    json_t *text;
    json_array_foreach(json_object_get(answer, key), i, text)
        fprintf(stderr, "%s\n", json_string_value(text));
}

int command_promql(int argc, char **argv)
{
    static const struct option options[] = {
        {"time", required_argument, NULL, 'p'}, {"start", required_argument, NULL, 'p'},
        {"end", required_argument, NULL, 'p'},  {"step", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    char path[8192] = "/api/v1/query", why[1200];
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--start", 7) == 0)
            strcpy(path, "/api/v1/query_range");
    int status = lines_parse(argc, argv, options, 1, 1, path, sizeof path, usage);
    if (status != 0)
        return status < 0 ? 0 : status;
    if (strstr(path, "query_range") && !strstr(path, "step="))
        lines_add_parameter(path, sizeof path, "step", "15s");
    lines_add_parameter(path, sizeof path, "query", argv[optind]);
    json_t *answer = api_get(NULL, path, why, sizeof why);
    if (!answer) {
        fprintf(stderr, "weft promql: %s\n", why);
        return 1;
    }
    print_result(json_object_get(answer, "data"));
    print_annotations(answer, "warnings");
    print_annotations(answer, "infos");
    json_decref(answer);
    return 0;
}
