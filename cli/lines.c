// SPDX-License-Identifier: Apache-2.0
#include "cli/lines.h"

#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/show.h"

void lines_add_parameter(char *query, size_t size, const char *name, const char *value)
{
    size_t at = strlen(query);
    snprintf(query + at, size - at, "%c%s=", strchr(query, '?') ? '&' : '?', name);
    api_escape(query, size, value);
}

int lines_parse(int argc, char **argv, const struct option *options, int least, int most,
                char *query, size_t size, const char *usage)
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
        lines_add_parameter(query, size, name, optarg);
    }
    if (argc - optind >= least && argc - optind <= most)
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

void lines_trace(const json_t *trace)
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
