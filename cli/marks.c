// SPDX-License-Identifier: Apache-2.0
/* `weft mark` and `weft marks`: what happened. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/marks.h"
#include "cli/show.h"

/* ---- mark -------------------------------------------------------------------------------- */

static const char mark_usage[] =
    "usage: weft mark note TITLE [--text T] [--service S] [--cell C] [--from T] [--to T]\n"
    "       weft mark deploy --service S --version V [--cell C] [--text T] [--from T] [--to T]\n\n"
    "Makes a mark on the time axis. Times are RFC 3339, or nanoseconds since 1970; now unless\n"
    "given. Deploys make themselves when processes begin to run with another version.\n";

static const struct option mark_options[] = {
    {"service", required_argument, NULL, 's'}, {"version", required_argument, NULL, 'v'},
    {"cell", required_argument, NULL, 'c'},    {"text", required_argument, NULL, 't'},
    {"from", required_argument, NULL, 'f'},    {"to", required_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};

/* The option's field in the API. */
static const char *field_of(int option)
{
    switch (option) {
    case 's':
        return "service";
    case 'v':
        return "version";
    case 'c':
        return "cell";
    case 't':
        return "text";
    case 'f':
        return "from_unix_ns";
    default:
        return "to_unix_ns";
    }
}

static int post_mark(json_t *body)
{
    char why[512], *text = json_dumps(body, JSON_COMPACT);
    json_t *answer = api_post(NULL, "/api/v1/marks", text ? text : "", why, sizeof why);
    free(text);
    if (!answer) {
        fprintf(stderr, "weft mark: %s\n", why);
        return 1;
    }
    printf("mark %lld\n", api_number(answer, "id"));
    json_decref(answer);
    return 0;
}

/* What the options say, into `body`. -1, or what the command shall return. */
static int read_options(int argc, char **argv, json_t *body)
{
    int option;
    while ((option = getopt_long(argc, argv, "", mark_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(mark_usage, stdout);
            return 0;
        }
        if (option == '?')
            return 2;
        json_object_set_new(body, field_of(option), json_string(optarg));
    }
    bool note = argc - optind == 2 && strcmp(argv[optind], "note") == 0;
    bool deploy = argc - optind == 1 && strcmp(argv[optind], "deploy") == 0;
    if (!note && !deploy)
        return 2;
    json_object_set_new(body, "kind", json_string(argv[optind]));
    if (note)
        json_object_set_new(body, "title", json_string(argv[optind + 1]));
    return -1;
}

int command_mark(int argc, char **argv)
{
    json_t *body = json_object();
    int status = read_options(argc, argv, body);
    if (status < 0)
        status = post_mark(body);
    else if (status == 2)
        fputs(mark_usage, stderr);
    json_decref(body);
    return status;
}

/* ---- lists ------------------------------------------------------------------------------- */

static const struct option list_options[] = {{"kind", required_argument, NULL, 'p'},
                                             {"service", required_argument, NULL, 'p'},
                                             {"start", required_argument, NULL, 'p'},
                                             {"end", required_argument, NULL, 'p'},
                                             {"limit", required_argument, NULL, 'p'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

json_t *marks_ask(int argc, char **argv, const char *path, const char *usage, int *status)
{
    char query[2048], why[512];
    snprintf(query, sizeof query, "%s", path);
    *status = lines_parse(argc, argv, list_options, 0, 0, query, sizeof query, usage);
    if (*status != 0) {
        *status = *status < 0 ? 0 : *status;
        return NULL;
    }
    json_t *answer = api_get(NULL, query, why, sizeof why);
    if (!answer) {
        fprintf(stderr, "weft %s: %s\n", argv[0], why);
        *status = 1;
    }
    return answer;
}

void marks_print_text(const char *text, size_t columns)
{
    size_t printed = show_text(text, columns);
    for (; printed < columns; printed++)
        putchar(' ');
}

void marks_print(const json_t *mark)
{
    const char *kind = api_text(mark, "kind");
    bool bad = strcmp(kind, "death") == 0 || strcmp(kind, "alert") == 0;
    printf("%6lld  %s  %s", api_number(mark, "id"), show_time(api_unix_ns(mark, "from_unix_ns")),
           show_begin(bad ? SHOW_RED : SHOW_PLAIN));
    marks_print_text(kind, 13);
    printf("%s", show_end());
    show_text(api_text(mark, "title"), 60);
    if (*api_text(mark, "cell")) {
        printf("  %sin ", show_begin(SHOW_DIM));
        show_text(api_text(mark, "cell"), 30);
        printf("%s", show_end());
    }
    if (api_number(mark, "count") > 1)
        printf("  %lld times", api_number(mark, "count"));
    if (strcmp(kind, "death") == 0 && *api_text(mark, "text")) {
        printf("  ");
        show_text(api_text(mark, "text"), 60);
    }
    putchar('\n');
}

static const char marks_usage[] =
    "usage: weft marks [--kind note|deploy|death|alert|notification|hot-key|process]\n"
    "                  [--service S] [--start T] [--end T] [--limit N]\n";

int command_marks(int argc, char **argv)
{
    int status;
    size_t i;
    json_t *mark, *answer = marks_ask(argc, argv, "/api/v1/marks", marks_usage, &status);
    if (!answer)
        return status;
    json_array_foreach(json_object_get(answer, "marks"), i, mark) marks_print(mark);
    json_decref(answer);
    return 0;
}
