// SPDX-License-Identifier: Apache-2.0
/* `weft tail`: the firehose in a terminal. When the collector goes away it waits and goes on,
 * behind the last line that it has shown. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/show.h"
#include "cli/stream.h"
#include "lib/base/buffer.h"

static const char usage[] =
    "usage: weft tail [QUERY] [options]\n\n"
    "Spans as the collector accepts them; only those that a TraceQL query lets through, if one is\n"
    "given.\n\n"
    "  --app NAME         a name under which the position is kept: the next time goes on from "
    "there\n"
    "  --offset O         oldest, newest (the default), or seconds back such as -60\n"
    "  --rewind           begins at the offset although the app was here before\n"
    "  --json             lines as the collector sends them\n";

struct tailing {
    struct buffer line; /* that is not whole yet */
    char cursor[80];    /* of the last line shown */
    bool json;
};

static void print_attributes(const json_t *attributes)
{
    size_t i;
    json_t *attribute;
    json_array_foreach(attributes, i, attribute)
    {
        char *value = json_dumps(json_object_get(attribute, "value"), JSON_ENCODE_ANY);
        printf(" %s", show_begin(SHOW_DIM));
        show_text(api_text(attribute, "key"), 40);
        printf("=%s", show_end());
        show_text(value ? value : "", 60);
        free(value);
    }
}

static void print_span(const json_t *span)
{
    const char *status = api_text(span, "status");
    bool failed = strcmp(status, "error") == 0 || strcmp(status, "died") == 0;
    printf("%s  %9s  %s", show_time(api_unix_ns(span, "start_unix_ns")),
           show_duration((double)api_number(span, "duration_ns")),
           show_service(api_text(span, "service")));
    show_text(api_text(span, "service"), 24);
    printf("%s ", show_end());
    show_text(api_text(span, "name"), 40);
    if (failed) {
        printf("  %s%s ", show_begin(SHOW_RED), status);
        show_text(api_text(span, "status_message"), 80);
        printf("%s", show_end());
    }
    print_attributes(json_object_get(span, "attributes"));
    printf("  %s%s%s\n", show_begin(SHOW_DIM), api_text(span, "trace_id"), show_end());
}

static void print_gap(const json_t *gap)
{
    printf("%s%lld spans are missing here: %s%s\n", show_begin(SHOW_YELLOW),
           api_number(gap, "spans"),
           strcmp(api_text(gap, "reason"), "aged") == 0 ? "the ledger does not reach back so far"
                                                        : "the ledger is damaged",
           show_end());
}

static void show_line(struct tailing *t, const char *line, size_t length)
{
    if (length == 0)
        return; /* only to say that the line is alive */
    json_t *json = json_loadb(line, length, 0, NULL);
    const json_t *gap = json_object_get(json, "gap");
    snprintf(t->cursor, sizeof t->cursor, "%s", api_text(json, "cursor"));
    if (t->json)
        printf("%.*s\n", (int)length, line);
    else if (gap)
        print_gap(gap);
    else if (json)
        print_span(json);
    json_decref(json);
}

static int on_bytes(void *context, const char *data, size_t length)
{
    struct tailing *t = context;
    while (length > 0) {
        const char *end = memchr(data, '\n', length);
        size_t part = end ? (size_t)(end - data) : length;
        buffer_append(&t->line, data, part);
        if (end) {
            show_line(t, t->line.data ? t->line.data : "", t->line.length);
            buffer_clear(&t->line);
        }
        data += part + (end != NULL);
        length -= part + (end != NULL);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

int command_tail(int argc, char **argv)
{
    static const struct option options[] = {
        {"app", required_argument, NULL, 'p'}, {"offset", required_argument, NULL, 'o'},
        {"rewind", no_argument, NULL, 'r'},    {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};
    char base[8192] = "/api/v1/firehose", path[16384], why[1024];
    const char *offset = NULL;
    bool app = false, rewind = false;
    struct tailing t = {0};
    int option, result;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p')
            lines_add_parameter(base, sizeof base, "app", optarg);
        app = app || option == 'p';
        rewind = rewind || option == 'r';
        t.json = t.json || option == 'j';
        if (option == 'o')
            offset = optarg;
        if (option == 'h' || option == '?') {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (argc - optind > 1) {
        fputs(usage, stderr);
        return 2;
    }
    if (optind < argc)
        lines_add_parameter(base, sizeof base, "q", argv[optind]);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        snprintf(path, sizeof path, "%s", base);
        if (!app && *t.cursor)
            lines_add_parameter(path, sizeof path, "after", t.cursor);
        else if (offset && !*t.cursor)
            lines_add_parameter(path, sizeof path, "offset", offset);
        if (rewind && !*t.cursor)
            lines_add_parameter(path, sizeof path, "rewind", "true");
        buffer_clear(&t.line);
        result = stream_get(path, &(struct stream_reader){on_bytes, &t, NULL}, why, sizeof why);
        if (result == 1 || result == -2 || (result == -1 && !*t.cursor))
            break;
        fprintf(stderr, "weft tail: %s: trying again\n", result ? why : "the stream ended");
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    buffer_fini(&t.line);
    if (result != 1)
        fprintf(stderr, "weft tail: %s\n", why);
    return result == 1 ? 0 : 1;
}
