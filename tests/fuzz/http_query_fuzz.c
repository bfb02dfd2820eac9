// SPDX-License-Identifier: Apache-2.0
/* Requests of any kind against the routes, over an empty head: method, path and query from the
 * bytes. Every answer has a status, and an error has a sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/web/params.h"
#include "collector/web/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int no_status(void *context, struct pipeline_status *s)
{
    (void)context;
    *s = (struct pipeline_status){.version = "0"};
    return 0;
}

static const char *ready(void *context)
{
    (void)context;
    return NULL;
}

static int no_recording(void *context, const char *service, bool on)
{
    (void)context;
    return service && on;
}

static enum link_verdict no_import(void *context, enum frame_kind kind, void *memory, size_t length,
                                   char *why, size_t why_size)
{
    (void)context;
    (void)kind;
    (void)length;
    free(memory);
    snprintf(why, why_size, "not here");
    return LINK_BUSY;
}

static struct store *open_store(void)
{
    char directory[] = "/tmp/weft-fuzz-XXXXXX", why[256];
    struct store_options options = {.directory = mkdtemp(directory), .head_bytes = 16 << 20};
    struct store *store = options.directory ? store_open(&options, why, sizeof why) : NULL;
    if (!store)
        abort();
    rmdir(options.directory); /* nothing is ever written there */
    return store;
}

static struct series_store *open_series(void)
{
    char directory[] = "/tmp/weft-fuzz-XXXXXX", why[256];
    struct series_store_options options = {.directory = mkdtemp(directory), .exemplars = 10};
    struct series_store *series =
        options.directory ? series_store_open(&options, why, sizeof why) : NULL;
    const struct label labels[] = {{{"__name__", 8}, {"up", 2}}, {{"job", 3}, {"web", 3}}};
    if (!series || series_store_begin(series, (struct journal_position){1, 1}) != 0)
        abort();
    series_ref ref = series_store_resolve(series, &(struct labels){labels, 2}, NULL);
    for (int64_t i = 0; i < 100; i++)
        series_store_append(series, ref,
                            &(struct series_sample){.unix_ms = i * 15000, .value = (double)i});
    series_store_commit(series);
    return series;
}

static struct marks *open_marks(void)
{
    char directory[] = "/tmp/weft-fuzz-XXXXXX", why[256];
    struct marks *marks = mkdtemp(directory) ? marks_open(directory, 0, why, sizeof why) : NULL;
    if (!marks)
        abort();
    return marks;
}

/* With a window of a cache whose key is no text. */
static struct caches *open_caches(void)
{
    static char directory[] = "/tmp/weft-fuzz-XXXXXX";
    static const uint8_t registers[DISTINCT_REGISTERS] = {[9] = 2};
    char why[256];
    const struct caches_options options = {mkdtemp(directory), 0, 1 << 20};
    struct caches *caches = options.directory ? caches_open(&options, why, sizeof why) : NULL;
    struct window_entry entry = {.key = {"a\xff\0", 3}, .full_length = 300, .hash = 1, .calls = 9};
    struct batch_window window = {.host = {"h", 1},
                                  .cache = {"c", 1},
                                  .protocol = {"redis", 5},
                                  .begin_unix_ms = 1000,
                                  .length_ms = 500,
                                  .registers = registers};
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        window.lists[kind] = (struct window_list){&entry, 1, 9, 0};
    if (!caches || caches_put(caches, &window, 2000) != 0)
        abort();
    return caches;
}

static struct web *get_web(void)
{
    static struct web web;
    if (!web.query.store) {
        web = (struct web){
            .query = {.store = open_store(), .inflight = inflight_create(1 << 20)},
            .series = open_series(),
            .marks = open_marks(),
            .caches = open_caches(),
            .status = no_status,
            .not_ready = ready,
            .recording = no_recording,
            .import = no_import,
            .page_directory = "/nonexistent",
            .dashboards = dashboards_create("/nonexistent/dashboards"),
        };
    }
    return &web;
}

static void ask(char *path)
{
    struct reply reply;
    struct web_request request = {.method = (enum web_method)((unsigned char)path[0] % 4)};
    char *query = strchr(path + 1, '?');
    if (query)
        *query++ = 0;
    path[0] = '/';
    request.path = path;
    request.query = query;
    request.content_type = "application/json";
    request.body = query ? query : "";
    request.body_length = strlen(request.body);
    web_answer(get_web(), &request, &reply);
    if (reply.status < 200 || (reply.status >= 400 && reply.body.length < 12))
        abort();
    while (reply.stream.next && reply.stream.next(reply.stream.context, &reply.body))
        ;
    reply_fini(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    struct params params;
    struct trace_filter filter;
    char why[PARAMS_WHY_MAX];
    if (data[0] & 0x80) {
        ask(text);
    } else if (params_parse(&params, text + 1, why) == 0) {
        params_trace_filter(&params, &filter, why);
    }
    free(text);
    return 0;
}
