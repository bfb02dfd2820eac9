// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"

/* By service, over the run: what has ended counts, too. */
static const char cpu[] = "sum by (service) (increase(process_cpu_seconds_total[1h]))";
static const char memory[] = "sum by (service) (max_over_time(process_resident_memory_bytes[1h]))";

static json_t *ask(const char *url, const char *promql)
{
    char path[1024] = "/api/v1/query?query=", why[512];
    api_escape(path, sizeof path, promql);
    return api_get(url, path, why, sizeof why);
}

static const json_t *series_of(const json_t *answer)
{
    return json_object_get(json_object_get(answer, "data"), "result");
}

static const char *service_of(const json_t *series)
{
    return api_text(json_object_get(series, "metric"), "service");
}

static double value_of(const json_t *series)
{
    const char *text = json_string_value(json_array_get(json_object_get(series, "value"), 1));
    return text ? strtod(text, NULL) : 0;
}

static double find(const json_t *answer, const char *service)
{
    size_t i;
    json_t *series;
    json_array_foreach(series_of(answer), i, series)
    {
        if (strcmp(service_of(series), service) == 0)
            return value_of(series);
    }
    return 0;
}

void demo_processes(const char *url)
{
    json_t *used = ask(url, cpu), *held = ask(url, memory), *series;
    const char *title = "processes";
    size_t i;
    json_array_foreach(series_of(held), i, series)
    {
        printf("  %-19s %-10s %5.1f MB, %.1f s of CPU\n", title, service_of(series),
               value_of(series) / 1e6, find(used, service_of(series)));
        title = "";
    }
    json_decref(used);
    json_decref(held);
}
