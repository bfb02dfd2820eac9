// SPDX-License-Identifier: Apache-2.0
/* `weft traces` and `weft inflight`: lists. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/show.h"

static void add_parameter(char *query, size_t size, const char *name, const char *value)
{
    size_t at = strlen(query);
    snprintf(query + at, size - at, "%c%s=", strchr(query, '?') ? '&' : '?', name);
    api_escape(query, size, value);
}

/* Long options that are parameters of the API under the same name. `query` begins with the path.
 * 0; or what the command shall return, after a usage or --help. */
static int parse(int argc, char **argv, const struct option *options, char *query, size_t size,
                 const char *usage)
{
    int option, index;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return -1;
        }
        if (option != 'p') {
            fputs(usage, stderr);
            return 2;
        }
        char name[32];
        snprintf(name, sizeof name, "%s", options[index].name);
        for (char *c = name; *c; c++)
            if (*c == '-')
                *c = '_';
        add_parameter(query, size, name, optarg);
    }
    if (optind == argc)
        return 0;
    fputs(usage, stderr);
    return 2;
}

static void print_services(const json_t *services)
{
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service)
    {
        printf("%s%s", i ? " " : "", show_service(api_text(service, "name")));
        show_text(api_text(service, "name"), 24);
        printf(":%lld%s", api_number(service, "spans"), show_end());
    }
}

static void print_trace_line(const json_t *trace)
{
    const json_t *root = json_object_get(trace, "root");
    long long errors = api_number(trace, "error_count"), died = api_number(trace, "died_count"),
              open = api_number(trace, "in_flight_count");
    printf("%s  %s  %9s  ", api_text(trace, "trace_id"),
           show_time(api_unix_ns(trace, "start_unix_ns")),
           show_duration((double)api_number(trace, "duration_ns")));
    if (root) {
        printf("%s", show_service(api_text(root, "service")));
        show_text(api_text(root, "service"), 24);
        printf("%s ", show_end());
        show_text(api_text(root, "operation"), 40);
    } else {
        printf("%s(no root yet)%s", show_begin(SHOW_DIM), show_end());
    }
    printf("  %lld spans", api_number(trace, "span_count"));
    if (died)
        printf("  %s%lld died%s", show_begin(SHOW_RED), died, show_end());
    if (errors)
        printf("  %s%lld failed%s", show_begin(SHOW_RED), errors, show_end());
    if (open)
        printf("  %s%lld in flight%s", show_begin(SHOW_YELLOW), open, show_end());
    if (json_is_false(json_object_get(trace, "complete")))
        printf("  %sincomplete%s", show_begin(SHOW_YELLOW), show_end());
    printf("  ");
    print_services(json_object_get(trace, "services"));
    printf("\n");
}

static const char traces_usage[] =
    "usage: weft traces [options]\n\n"
    "  --service S        a span of this service is in it\n"
    "  --operation O      a span of this name (of that service)\n"
    "  --status S         ok, error, died, in_flight\n"
    "  --min-duration D   of the whole trace: 250us, 10ms, 1.5s\n"
    "  --max-duration D\n"
    "  --start T, --end T it began then: RFC 3339, or nanoseconds since 1970\n"
    "  --limit N          20, at most 1000\n";

int command_traces(int argc, char **argv)
{
    static const struct option options[] = {{"service", required_argument, NULL, 'p'},
                                            {"operation", required_argument, NULL, 'p'},
                                            {"status", required_argument, NULL, 'p'},
                                            {"min-duration", required_argument, NULL, 'p'},
                                            {"max-duration", required_argument, NULL, 'p'},
                                            {"start", required_argument, NULL, 'p'},
                                            {"end", required_argument, NULL, 'p'},
                                            {"limit", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    char query[2048] = "/api/v1/traces", why[512];
    int status = parse(argc, argv, options, query, sizeof query, traces_usage);
    if (status != 0)
        return status < 0 ? 0 : status;
    json_t *answer = api_get(NULL, query, why, sizeof why);
    if (!answer) {
        fprintf(stderr, "weft traces: %s\n", why);
        return 1;
    }
    size_t i;
    json_t *trace;
    json_array_foreach(json_object_get(answer, "traces"), i, trace) print_trace_line(trace);
    if (json_array_size(json_object_get(answer, "traces")) == 0)
        fprintf(stderr, "no such traces (weft status tells whether any arrive)\n");
    json_decref(answer);
    return 0;
}

static const char inflight_usage[] = "usage: weft inflight [--service S] [--limit N]\n";

int command_inflight(int argc, char **argv)
{
    static const struct option options[] = {{"service", required_argument, NULL, 'p'},
                                            {"limit", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    char query[2048] = "/api/v1/inflight", why[512];
    int status = parse(argc, argv, options, query, sizeof query, inflight_usage);
    if (status != 0)
        return status < 0 ? 0 : status;
    json_t *answer = api_get(NULL, query, why, sizeof why);
    if (!answer) {
        fprintf(stderr, "weft inflight: %s\n", why);
        return 1;
    }
    size_t i;
    json_t *span;
    json_array_foreach(json_object_get(answer, "spans"), i, span)
    {
        printf("%s  %9s  %s", api_text(span, "trace_id"),
               show_duration((double)api_number(span, "age_ns")),
               show_service(api_text(span, "service")));
        show_text(api_text(span, "service"), 24);
        printf("%s ", show_end());
        show_text(api_text(span, "name"), 60);
        printf("  %spid %lld on ", show_begin(SHOW_DIM), api_number(span, "pid"));
        show_text(api_text(span, "host"), 40);
        printf("%s\n", show_end());
    }
    json_decref(answer);
    return 0;
}
