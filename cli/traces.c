// SPDX-License-Identifier: Apache-2.0
/* `weft traces` and `weft inflight`: lists. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/show.h"

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
    int status = lines_parse(argc, argv, options, 0, 0, query, sizeof query, traces_usage);
    if (status != 0)
        return status < 0 ? 0 : status;
    json_t *answer = api_get(NULL, query, why, sizeof why);
    if (!answer) {
        fprintf(stderr, "weft traces: %s\n", why);
        return 1;
    }
    size_t i;
    json_t *trace;
    json_array_foreach(json_object_get(answer, "traces"), i, trace) lines_trace(trace);
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
    int status = lines_parse(argc, argv, options, 0, 0, query, sizeof query, inflight_usage);
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
