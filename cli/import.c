// SPDX-License-Identifier: Apache-2.0
/* `weft import`: OTLP's JSON from files into the collector, a few thousand spans at a time. What it
 * says is imported is durable. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "lib/otlp/otlp_split.h"

enum { REQUEST_BYTES = 4 << 20, REQUEST_SPANS = 5000, BUSY_SECONDS = 60 };

static const char usage[] =
    "usage: weft import [FILE...]\n\n"
    "Reads traces as OTLP JSON (as `weft export` and OpenTelemetry's file exporter write it, or "
    "one\n"
    "large document; \"-\" or nothing: the standard input) and sends them to the collector. Files "
    "may\n"
    "be of any size. Importing the same file twice makes every span twice in the ledger, and once\n"
    "in its trace.\n";

struct importing {
    struct progress progress;
    FILE *in;
    uint64_t total_bytes; /* 0: not known */
    uint64_t spans, rejected;
    char why[OTLP_WHY_MAX + 512];
};

/* The collector's disk may be full, or it may just be starting: that is waited for. */
static json_t *post(struct importing *i, const char *body)
{
    for (int tries = 0;; tries++) {
        json_t *answer = api_post(NULL, "/v1/traces", body, i->why, sizeof i->why);
        if (answer || tries >= BUSY_SECONDS || !strstr(i->why, "(HTTP 503)"))
            return answer;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
}

static int send(void *context, const char *json, size_t length, uint32_t spans)
{
    struct importing *i = context;
    char *body = strndup(json, length);
    json_t *answer = body ? post(i, body) : NULL;
    free(body);
    if (!answer)
        return 1;
    uint64_t rejected =
        (uint64_t)api_number(json_object_get(answer, "partialSuccess"), "rejectedSpans");
    json_decref(answer);
    i->spans += spans - rejected;
    i->rejected += rejected;
    long at = ftell(i->in);
    progress_show(&i->progress, at > 0 ? (uint64_t)at : 0, i->total_bytes, i->spans);
    return 0;
}

/* 0, or 1 with i->why. */
static int import_file(struct importing *i, const char *path)
{
    char why[OTLP_WHY_MAX];
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    i->in = standard ? stdin : fopen(path, "re");
    if (!i->in) {
        snprintf(i->why, sizeof i->why, "%s: %s", path, strerror(errno));
        return 1;
    }
    i->total_bytes =
        fstat(fileno(i->in), &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    int result = otlp_split(i->in,
                            &(struct otlp_split_options){.request_bytes = REQUEST_BYTES,
                                                         .request_spans = REQUEST_SPANS,
                                                         .send = send,
                                                         .context = i},
                            why);
    if (result < 0)
        snprintf(i->why, sizeof i->why, "%s: %s", path, why);
    if (!standard)
        fclose(i->in);
    return result != 0;
}

int command_import(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        fputs(usage, option == 'h' ? stdout : stderr);
        return option == 'h' ? 0 : 2;
    }
    struct importing i = {.progress = progress_begin("spans")};
    int result = 0;
    if (optind == argc)
        result = import_file(&i, "-");
    for (int n = optind; n < argc && result == 0; n++)
        result = import_file(&i, argv[n]);
    progress_end(&i.progress);
    fprintf(stderr, "imported %llu spans in %.1f s", (unsigned long long)i.spans,
            progress_seconds(&i.progress));
    if (i.rejected > 0)
        fprintf(stderr, "; %llu had no trace id or span id and were not taken",
                (unsigned long long)i.rejected);
    fputc('\n', stderr);
    if (result != 0)
        fprintf(stderr, "weft import: %s\n", i.why);
    return result;
}
