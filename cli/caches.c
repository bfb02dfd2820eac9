// SPDX-License-Identifier: Apache-2.0
/* `weft caches`: how caches do, and which of their keys are hot. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/caches_find.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/show.h"

static const char usage[] =
    "usage: weft caches [--host H] [--protocol P] [TIME] [--json]\n"
    "       weft caches keys [--by calls|bytes|misses] [--cache C] [--host H] [--protocol P]\n"
    "                        [--limit N] [TIME] [--json]\n"
    "       weft caches patterns|clients [the same, without --by]\n\n"
    "What weft-tap sees of caches: how each does; the heaviest keys, patterns of keys (with "
    "digits\n"
    "as *) and clients of one (--cache takes a number or an address, as weft caches shows them) "
    "or\n"
    "of all together. TIME is --range 5m (the last five minutes, unless given), or --start and\n"
    "--end. A count may be too low by what is said behind it, never too high.\n";

static const struct option options[] = {{"by", required_argument, NULL, 'p'},
                                        {"range", required_argument, NULL, 'p'},
                                        {"start", required_argument, NULL, 'p'},
                                        {"end", required_argument, NULL, 'p'},
                                        {"limit", required_argument, NULL, 'p'},
                                        {"host", required_argument, NULL, 'p'},
                                        {"cache", required_argument, NULL, 'c'},
                                        {"protocol", required_argument, NULL, 'p'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

struct asked {
    char parameters[2048]; /* "?a=b&c=d" */
    const char *list;      /* "keys"; NULL: caches */
    const char *cache;     /* NULL: all */
    bool json;
};

static double real(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return json_is_number(value) ? json_number_value(value) : 0;
}

static bool has(const json_t *object, const char *field)
{
    return json_object_get(object, field) != NULL;
}

/* In columns, from the left. */
static void print_wide(const char *text, size_t columns)
{
    size_t printed = show_text(text, columns);
    for (; printed < columns; printed++)
        putchar(' ');
}

/* ---- caches ------------------------------------------------------------------------------- */

static void print_rate(const json_t *cache, const char *field)
{
    if (has(cache, field))
        printf(" %9.*f", real(cache, field) < 10 ? 2 : 0, real(cache, field));
    else
        printf(" %9s", "-");
}

static void print_time(const json_t *cache, const char *field)
{
    printf(" %9s", has(cache, field) ? show_duration(real(cache, field) * 1e9) : "-");
}

static void print_cache(const json_t *c)
{
    const json_t *hottest = json_object_get(c, "hottest");
    printf("%4lld  ", api_number(c, "id"));
    print_wide(api_text(c, "host"), 14);
    printf("  ");
    print_wide(api_text(c, "address"), 21);
    printf("  ");
    print_wide(api_text(c, "protocol"), 9);
    print_rate(c, "commands_per_s");
    if (has(c, "hit_rate"))
        printf(" %6.1f %%", 100 * real(c, "hit_rate"));
    else
        printf(" %8s", "-");
    print_rate(c, "errors_per_s");
    printf(" %9s", show_bytes(real(c, "request_bytes_per_s") + real(c, "reply_bytes_per_s")));
    print_time(c, "p50_seconds");
    print_time(c, "p99_seconds");
    print_time(c, "p999_seconds");
    printf(" %8.0f %5.1f  ", real(c, "distinct_keys"), real(c, "peak_ratio"));
    if (hottest) {
        show_text(api_text(hottest, "key"), 40);
        printf(" %s%.1f %%%s", show_begin(SHOW_DIM), 100 * real(hottest, "share"), show_end());
    }
    putchar('\n');
}

static void print_caches(const json_t *answer)
{
    size_t i;
    json_t *cache;
    const json_t *list = json_object_get(answer, "caches");
    if (json_array_size(list) == 0) {
        fprintf(stderr, "no caches were seen: is weft-tap running beside them?\n");
        return;
    }
    printf("%s%4s  %-14s  %-21s  %-9s %9s %8s %9s %9s %9s %9s %9s %8s %5s  %s%s\n",
           show_begin(SHOW_DIM), "ID", "HOST", "ADDRESS", "PROTOCOL", "CMDS/S", "HITS", "ERRORS/S",
           "BYTES/S", "P50", "P99", "P99.9", "KEYS", "PEAK", "HOTTEST", show_end());
    json_array_foreach(list, i, cache) print_cache(cache);
}

/* ---- lists -------------------------------------------------------------------------------- */

static void print_entry(const json_t *e)
{
    long long error = api_number(e, "error");
    printf("%10.1f %6.2f %%  %12lld %10s %10lld  ", real(e, "per_second"), 100 * real(e, "share"),
           api_number(e, "calls"), show_bytes(real(e, "bytes")), api_number(e, "misses"));
    if (error)
        printf("%s+%-8lld%s  ", show_begin(SHOW_DIM), error, show_end());
    else
        printf("%9s  ", "exact");
    show_text(api_text(e, "key"), 0);
    if (has(e, "length"))
        printf("…");
    putchar('\n');
}

static void print_list(const json_t *answer, const char *name)
{
    size_t i;
    json_t *entry;
    const json_t *list = json_object_get(answer, name);
    printf("%s%lld %s in %lld windows of %lld caches, about %.0f different keys; nothing that is "
           "not here has more than %lld%s\n",
           show_begin(SHOW_DIM), api_number(answer, "total"), api_text(answer, "by"),
           api_number(answer, "windows"), api_number(answer, "caches"),
           real(answer, "distinct_keys"), api_number(answer, "rest"), show_end());
    printf("%s%10s %8s  %12s %10s %10s  %9s  %s%s\n", show_begin(SHOW_DIM), "PER S", "SHARE",
           "CALLS", "BYTES", "MISSES", "ERROR", "KEY", show_end());
    json_array_foreach(list, i, entry) print_entry(entry);
}

/* ---- the command -------------------------------------------------------------------------- */

static int path_of(const struct asked *a, char *path, size_t size, char *why, size_t why_size)
{
    long long id = a->cache ? caches_find(a->cache, why, why_size) : 0;
    if (a->cache && id == 0)
        return -1;
    if (!a->list)
        snprintf(path, size, "/api/v1/caches%s", a->parameters);
    else if (a->cache)
        snprintf(path, size, "/api/v1/caches/%lld/%s%s", id, a->list, a->parameters);
    else
        snprintf(path, size, "/api/v1/caches/%s%s", a->list, a->parameters);
    return 0;
}

static int ask(const struct asked *a)
{
    char path[2400], why[1200];
    json_t *answer = NULL;
    if (path_of(a, path, sizeof path, why, sizeof why) == 0)
        answer = api_get(NULL, path, why, sizeof why);
    if (!answer) {
        fprintf(stderr, "weft caches: %s\n", why);
        return 1;
    }
    if (a->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    } else if (a->list) {
        print_list(answer, a->list);
    } else {
        print_caches(answer);
    }
    json_decref(answer);
    return 0;
}

/* -1; or what the command shall return. */
static int read_arguments(int argc, char **argv, struct asked *a)
{
    int option, index;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == '?')
            return 2;
        if (option == 'j')
            a->json = true;
        else if (option == 'c')
            a->cache = optarg;
        else
            lines_add_parameter(a->parameters, sizeof a->parameters, options[index].name, optarg);
    }
    a->list = optind < argc ? argv[optind] : NULL;
    bool known = !a->list || strcmp(a->list, "keys") == 0 || strcmp(a->list, "patterns") == 0 ||
                 strcmp(a->list, "clients") == 0;
    return known && argc - optind <= 1 && (a->list || !a->cache) ? -1 : 2;
}

int command_caches(int argc, char **argv)
{
    struct asked a = {.list = NULL};
    int status = read_arguments(argc, argv, &a);
    if (status == 2)
        fputs(usage, stderr);
    return status < 0 ? ask(&a) : status;
}
