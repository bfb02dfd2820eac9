// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_summary.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/api.h"
#include "cli/demo_processes.h"
#include "cli/deploys.h"

struct account {
    long long recorded;    /* spans that the agent read from slabs */
    long long accepted;    /* of them durable at the collector */
    long long waiting;     /* batches in the spool */
    long long lost_on_way; /* spans lost after they were read, with a reason */
    json_t *status;
};

/* Losses behind the slab; those in a service were never read and stand apart. */
static long long lost_behind_the_slab(const json_t *status)
{
    long long sum = 0;
    size_t i;
    json_t *loss;
    json_array_foreach(json_object_get(status, "losses"), i,
                       loss) if (strcmp(api_text(loss, "place"), "service") != 0 &&
                                 strcmp(api_text(loss, "reason"), "segment_aged") != 0) sum +=
        api_number(loss, "count");
    return sum;
}

static bool take_account(const struct world *w, struct account *a)
{
    char why[512];
    json_decref(a->status);
    a->status = api_get(w->url, "/api/v1/status", why, sizeof why);
    if (!a->status) {
        fprintf(stderr, "weft demo: %s\n", why);
        return false;
    }
    const json_t *agent = json_array_get(json_object_get(a->status, "agents"), 0);
    const json_t *collector = json_object_get(a->status, "collector");
    a->recorded = api_number(agent, "spans");
    a->accepted = api_number(json_object_get(collector, "accepted"), "spans");
    a->waiting = api_number(json_object_get(agent, "spool"), "batches");
    a->lost_on_way = lost_behind_the_slab(a->status);
    return true;
}

/* Until what was recorded is accepted, twice in a row; ten seconds at most. */
static bool settle(const struct world *w, struct account *a)
{
    struct timespec pause = {.tv_nsec = 300000000};
    long long before = -1;
    for (int i = 0; i < 33; i++) {
        if (!take_account(w, a))
            return false;
        bool even = a->recorded == a->accepted + a->lost_on_way && a->waiting == 0;
        if (even && a->recorded == before)
            return true;
        before = even ? a->recorded : -1;
        nanosleep(&pause, NULL);
    }
    return true;
}

static void print_load(const struct world *w)
{
    char path[128];
    world_log_path(w, WORLD_LOAD, path, sizeof path);
    json_t *load = json_load_file(path, JSON_DISABLE_EOF_CHECK, NULL);
    printf("  requests            %lld dashboards, %lld posts, %lld errors\n",
           api_number(load, "reads"), api_number(load, "posts"), api_number(load, "errors"));
    printf("  latency             p50 %.2f ms, p99 %.2f ms\n",
           json_number_value(json_object_get(load, "p50_ms")),
           json_number_value(json_object_get(load, "p99_ms")));
    json_decref(load);
}

static void print_traces(const struct world *w)
{
    char why[512];
    size_t i;
    json_t *answer = api_get(w->url, "/api/v1/traces?limit=1000", why, sizeof why), *trace;
    const json_t *traces = json_object_get(answer, "traces");
    size_t complete = 0;
    json_array_foreach(traces, i, trace) complete +=
        json_is_true(json_object_get(trace, "complete"));
    printf("  complete traces     %zu of the newest %zu\n", complete, json_array_size(traces));
    json_decref(answer);
}

/* The traces that show who died. Returns how many. */
static size_t print_died(const struct world *w)
{
    char why[512];
    json_t *answer = api_get(w->url, "/api/v1/traces?status=died&limit=1000", why, sizeof why);
    const json_t *traces = json_object_get(answer, "traces");
    size_t count = json_array_size(traces);
    long long spans = 0;
    size_t i;
    json_t *trace;
    json_array_foreach(traces, i, trace) spans += api_number(trace, "died_count");
    printf("  died spans          %lld, in %zu traces", spans, count);
    if (count)
        printf(", for example %s", api_text(json_array_get(traces, 0), "trace_id"));
    printf("\n");
    json_decref(answer);
    return count;
}

/* What became of the deploys, which the collector saw by itself. */
static void print_deploys(const struct world *w)
{
    char why[512];
    size_t i;
    json_t *answer = api_get(w->url, "/api/v1/marks?kind=deploy", why, sizeof why), *mark;
    const json_t *marks = json_object_get(answer, "marks");
    if (json_array_size(marks) > 0)
        printf("  deploys\n");
    json_array_foreach(marks, i, mark) deploys_print(w->url, mark);
    json_decref(answer);
}

static void print_losses(const json_t *status)
{
    size_t i;
    json_t *loss;
    const json_t *losses = json_object_get(status, "losses");
    printf("  losses              %s\n", json_array_size(losses) ? "" : "none");
    json_array_foreach(losses, i, loss)
        printf("    %lld  %s / %s  %s: %s\n", api_number(loss, "count"), api_text(loss, "place"),
               api_text(loss, "reason"), api_text(loss, "service"), api_text(loss, "explanation"));
}

int demo_summary(struct world *w, bool expect_died)
{
    struct account a = {.status = NULL};
    /* The services poll each other for ever: what they record ends with them. */
    for (int member = WORLD_WEB; member >= WORLD_FIREHOSE; member--)
        world_stop(w, (enum world_member)member);
    if (!settle(w, &a))
        return 1;
    const json_t *freshness = json_object_get(a.status, "freshness");
    long long unexplained = a.recorded - a.accepted - a.lost_on_way;
    printf("\nSummary\n");
    print_load(w);
    printf("  spans               %lld recorded, %lld accepted\n", a.recorded, a.accepted);
    print_traces(w);
    size_t died = print_died(w);
    demo_processes(w->url);
    print_deploys(w);
    print_losses(a.status);
    printf("  unexplained         %lld\n", unexplained);
    printf("  end to visible      p50 %.0f ms, p99 %.0f ms\n",
           (double)api_number(freshness, "p50_ns") / 1e6,
           (double)api_number(freshness, "p99_ns") / 1e6);
    json_decref(a.status);
    if (expect_died && died == 0)
        printf("\nA cell was killed, and no trace shows it.\n");
    return unexplained != 0 || (expect_died && died == 0);
}
