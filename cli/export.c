// SPDX-License-Identifier: Apache-2.0
/* `weft export`: traces as OTLP JSON, one document a line, as `weft import` and others read them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/progress.h"
#include "cli/stream.h"

enum { PAGE_TRACES = 1000 };

static const char usage[] =
    "usage: weft export [ID...] [options]\n\n"
    "Writes traces as OTLP JSON, one a line: those with the ids, or those that a query finds, the\n"
    "newest first.\n\n"
    "  --query Q          a TraceQL query; '{ }' finds everything\n"
    "  --start T, --end T they overlap that time: RFC 3339, or nanoseconds since 1970\n"
    "  --limit N          traces (1000)\n"
    "  --output FILE      instead of the standard output\n";

struct exporting {
    FILE *out;
    struct progress progress;
    uint64_t done, total;
    bool failed; /* to write */
};

static int on_bytes(void *context, const char *data, size_t length)
{
    struct exporting *e = context;
    e->failed = e->failed || fwrite(data, 1, length, e->out) != length;
    return e->failed;
}

/* A trace that is gone by now is passed over. */
static int export_trace(struct exporting *e, const char *id, char *why, size_t why_size)
{
    char path[256] = "/api/v1/traces/";
    api_escape(path, sizeof path - 32, id);
    strcat(path, "?format=otlp-json");
    int result = stream_get(path, &(struct stream_reader){on_bytes, e, NULL}, why, why_size);
    if (result == 1)
        snprintf(why, why_size, "cannot write: %s", strerror(errno));
    e->done++;
    progress_show(&e->progress, e->done, e->total, e->done);
    return result;
}

/* A set of ids that were told: pages overlap in what began at one moment. */
static bool is_new(json_t *seen, const char *id)
{
    if (json_object_get(seen, id))
        return false;
    json_object_set_new(seen, id, json_true());
    return true;
}

struct finding {
    const char *query, *start, *end;
    unsigned long limit;
};

static json_t *find_page(const struct finding *f, const char *end, unsigned long limit, char *why,
                         size_t why_size)
{
    char path[16384] = "/api/v1/search?spans=0", number[24];
    snprintf(number, sizeof number, "%lu", limit);
    lines_add_parameter(path, sizeof path, "limit", number);
    lines_add_parameter(path, sizeof path, "q", f->query);
    if (f->start)
        lines_add_parameter(path, sizeof path, "start", f->start);
    if (end)
        lines_add_parameter(path, sizeof path, "end", end);
    return api_get(NULL, path, why, why_size);
}

static int export_page(struct exporting *e, const json_t *traces, json_t *seen, char *why,
                       size_t why_size)
{
    size_t i;
    json_t *trace;
    json_array_foreach(traces, i, trace)
    {
        if (e->done == e->total || !is_new(seen, api_text(trace, "trace_id")))
            continue;
        int result = export_trace(e, api_text(trace, "trace_id"), why, why_size);
        if (result != 0 && !strstr(why, "(HTTP 404)"))
            return result;
    }
    return 0;
}

/* Page by page, each up to where the last one ended. */
static int export_found(struct exporting *e, const struct finding *f, char *why, size_t why_size)
{
    char end[32] = "";
    json_t *seen = json_object();
    int result = 0;
    for (bool more = true; more && result == 0 && e->done < e->total;) {
        json_t *answer = find_page(f, *end ? end : f->end, PAGE_TRACES, why, why_size);
        const json_t *traces = json_object_get(answer, "traces");
        size_t count = json_array_size(traces), known = json_object_size(seen);
        result = answer ? export_page(e, traces, seen, why, why_size) : 1;
        if (count > 0) /* what began in this nanosecond may not be all told: once more */
            snprintf(end, sizeof end, "%llu",
                     (unsigned long long)api_unix_ns(json_array_get(traces, count - 1),
                                                     "start_unix_ns") +
                         1);
        more = json_is_true(json_object_get(answer, "more")) && json_object_size(seen) > known;
        json_decref(answer);
    }
    json_decref(seen);
    return result;
}

int command_export(int argc, char **argv)
{
    static const struct option options[] = {{"query", required_argument, NULL, 'q'},
                                            {"start", required_argument, NULL, 's'},
                                            {"end", required_argument, NULL, 'e'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct finding f = {.limit = PAGE_TRACES};
    const char *output = NULL;
    char why[2048] = "", *end = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == 'q')
            f.query = optarg;
        else if (option == 's')
            f.start = optarg;
        else if (option == 'e')
            f.end = optarg;
        else if (option == 'l')
            f.limit = strtoul(optarg, &end, 10);
        else if (option == 'o')
            output = optarg;
        if (option == '?' || (end && *end) || f.limit == 0) {
            fputs(usage, stderr);
            return 2;
        }
    }
    if ((optind == argc) == !f.query) {
        fputs(usage, stderr);
        return 2;
    }
    struct exporting e = {.progress = progress_begin("traces"),
                          .total = f.query ? f.limit : (uint64_t)(argc - optind)};
    e.out = output ? fopen(output, "we") : stdout;
    if (!e.out) {
        fprintf(stderr, "weft export: %s: %s\n", output, strerror(errno));
        return 1;
    }
    int result = f.query ? export_found(&e, &f, why, sizeof why) : 0;
    for (int i = optind; i < argc && result == 0; i++)
        result = export_trace(&e, argv[i], why, sizeof why);
    progress_end(&e.progress);
    if (fflush(e.out) != 0 && result == 0) {
        snprintf(why, sizeof why, "cannot write: %s", strerror(errno));
        result = 1;
    }
    if (output)
        fclose(e.out);
    if (result != 0)
        fprintf(stderr, "weft export: %s\n", why);
    return result != 0;
}
