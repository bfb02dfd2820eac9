// SPDX-License-Identifier: Apache-2.0
/* `weft deploys` and `weft deploy`: which there were, and what they did. */
#include "cli/deploys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/marks.h"
#include "cli/show.h"

static enum show_style style_of(const char *change)
{
    return strcmp(change, "worse") == 0    ? SHOW_RED
           : strcmp(change, "better") == 0 ? SHOW_GREEN
                                           : SHOW_DIM;
}

static double real(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return json_is_number(value) ? json_number_value(value) : 0;
}

/* "p99 21.0 ms -> 48.0 ms". */
static void print_change(const json_t *c)
{
    const char *measure = api_text(c, "measure");
    double before = real(c, "before"), after = real(c, "after");
    if (strstr(measure, "_seconds"))
        printf("%.3s %s -> %s", measure, show_duration(before * 1e9), show_duration(after * 1e9));
    else if (strcmp(measure, "error_rate") == 0)
        printf("errors %.2f %% -> %.2f %%", before * 100, after * 100);
    else if (strcmp(measure, "resident_bytes_per_process") == 0)
        printf("memory %s -> %s a process", show_bytes(before), show_bytes(after));
    else if (strcmp(measure, "cpu_cores_per_process") == 0)
        printf("CPU %.3f -> %.3f cores a process", before, after);
    else
        printf("%.4g -> %.4g requests/s", before, after);
}

static void print_changed(const json_t *verdict)
{
    size_t i;
    json_t *c;
    const char *between = "  ";
    json_array_foreach(json_object_get(verdict, "measures"), i, c)
    {
        const char *change = api_text(c, "change");
        if (strcmp(change, "worse") != 0 && strcmp(change, "better") != 0)
            continue;
        printf("%s%s", between, show_begin(style_of(change)));
        print_change(c);
        printf("%s", show_end());
        between = ", ";
    }
}

/* "3 of 12 hosts". */
static void print_hosts(const json_t *rollout)
{
    long long hosts = api_number(rollout, "hosts"), of = api_number(rollout, "of_hosts");
    printf("%lld", hosts);
    if (of > 0)
        printf(" of %lld", of);
    printf(" host%s", (of > 0 ? of : hosts) == 1 ? "" : "s");
}

/* When on which host it began, and where it is last seen to have come. */
static void print_rollout(const json_t *mark, const json_t *rollout)
{
    const char *first = api_text(rollout, "first_host"), *last = api_text(rollout, "last_host");
    printf("\nrolled out: ");
    print_hosts(rollout);
    printf(", first %s", show_time(api_unix_ns(mark, "from_unix_ns")));
    if (*first) {
        printf(" on ");
        show_text(first, 64);
    }
    printf(", last %s", show_time(api_unix_ns(mark, "to_unix_ns")));
    if (*last) {
        printf(" on ");
        show_text(last, 64);
    }
    putchar('\n');
}

int deploys_print(const char *base, const json_t *mark)
{
    char path[64], why[512];
    snprintf(path, sizeof path, "/api/v1/deploys/%lld", api_number(mark, "id"));
    json_t *deploy = api_get(base, path, why, sizeof why);
    if (!deploy) {
        fprintf(stderr, "weft deploys: %s\n", why);
        return 1;
    }
    const json_t *verdict = json_object_get(deploy, "cell");
    const char *change = api_text(verdict, "change");
    printf("%6lld  %s  %s", api_number(mark, "id"), show_time(api_unix_ns(mark, "from_unix_ns")),
           show_service(api_text(mark, "service")));
    marks_print_text(api_text(mark, "service"), 16);
    printf("%s ", show_end());
    marks_print_text(api_text(mark, "cell"), 8);
    printf(" ");
    show_text(api_text(mark, "previous"), 20);
    printf(" -> ");
    show_text(api_text(mark, "version"), 20);
    printf("  ");
    print_hosts(json_object_get(deploy, "rollout"));
    printf("  %s%s%s", show_begin(style_of(change)),
           strcmp(change, "none") == 0 ? "no change" : change, show_end());
    print_changed(verdict);
    putchar('\n');
    json_decref(deploy);
    return 0;
}

static const char deploys_usage[] =
    "usage: weft deploys [--service S] [--start T] [--end T] [--limit N]\n\n"
    "Deploys, newest first, and what each did to latency, errors, CPU and memory.\n";

int command_deploys(int argc, char **argv)
{
    int status;
    size_t i;
    json_t *mark;
    json_t *answer = marks_ask(argc, argv, "/api/v1/marks?kind=deploy", deploys_usage, &status);
    if (!answer)
        return status;
    json_array_foreach(json_object_get(answer, "marks"), i, mark) if (status == 0) status =
        deploys_print(NULL, mark);
    if (json_array_size(json_object_get(answer, "marks")) == 0)
        fprintf(stderr, "no deploys: a service's processes need a WEFT_VERSION\n");
    json_decref(answer);
    return status;
}

static void print_verdict(const char *of, const json_t *verdict)
{
    size_t i;
    json_t *c;
    const char *basis = api_text(verdict, "basis"), *change = api_text(verdict, "change");
    printf("\n%s: %s%s%s", of, show_begin(style_of(change)),
           strcmp(change, "none") == 0 ? "no change" : change, show_end());
    if (strcmp(basis, "none") == 0) {
        printf(" (too early, or no series)\n");
        return;
    }
    printf("%s, %s, intervals of %s%s\n", show_begin(SHOW_DIM),
           strcmp(basis, "versions") == 0 ? "both versions over the same time"
                                          : "after against before",
           show_duration(real(verdict, "interval_ns")), show_end());
    json_array_foreach(json_object_get(verdict, "measures"), i, c)
    {
        printf("  %s", show_begin(style_of(api_text(c, "change"))));
        marks_print_text(api_text(c, "change"), 10);
        printf("%s", show_end());
        print_change(c);
        printf("%s   in %+.0f %% of intervals, certain to %.1f %%%s\n", show_begin(SHOW_DIM),
               real(c, "delta") * 100, real(c, "confidence") * 100, show_end());
    }
    if (json_object_get(verdict, "yesterday"))
        printf("  the day before, at the same times:\n");
    json_array_foreach(json_object_get(verdict, "yesterday"), i, c)
    {
        printf("    %s", show_begin(SHOW_DIM));
        marks_print_text(api_text(c, "change"), 10);
        print_change(c);
        printf("%s\n", show_end());
    }
}

int command_deploy(int argc, char **argv)
{
    char path[64], why[512], *end = NULL;
    unsigned long long id = argc == 2 ? strtoull(argv[1], &end, 10) : 0;
    if (argc != 2 || *end || end == argv[1]) {
        bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
        fprintf(help ? stdout : stderr, "usage: weft deploy ID\n\n"
                                        "What a deploy (weft deploys lists them) did.\n");
        return help ? 0 : 2;
    }
    snprintf(path, sizeof path, "/api/v1/deploys/%llu", id);
    json_t *deploy = api_get(NULL, path, why, sizeof why);
    if (!deploy) {
        fprintf(stderr, "weft deploy: %s\n", why);
        return 1;
    }
    marks_print(json_object_get(deploy, "mark"));
    print_rollout(json_object_get(deploy, "mark"), json_object_get(deploy, "rollout"));
    print_verdict("its cell", json_object_get(deploy, "cell"));
    print_verdict("the service", json_object_get(deploy, "service"));
    json_decref(deploy);
    return 0;
}
